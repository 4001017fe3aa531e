// From Docs/Evaluation.md.
import ModelCheckpoints
import ModelCompression

func accuracy(of model: Checkpoint, without layer: Int, on path: String) throws -> Double {
  let questions = try TaskSet(.winogrande, path: path, limit: 200, for: model)
  let layers = model.hyperparameters.layerCount
  let plan = PruningPlan(
    parentLayerCount: layers, keptLayers: (0..<layers).filter { $0 != layer }, criterion: .explicit)
  return try TaskResult(of: model.pruned(by: plan), on: questions).score.accuracy.value
}
