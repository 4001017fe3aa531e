// From Docs/Pruning.md.
import ModelCheckpoints
import ModelCompression

func dropMiddle(of path: String, to output: String) throws {
  let model = try Checkpoint(path: path)
  let plan = PruningPlan(
    parentLayerCount: model.hyperparameters.layerCount, keptLayers: [0, 1, 2, 9, 10, 11], criterion: .explicit)
  try model.pruned(by: plan).write(to: output, as: .huggingFace)
}
