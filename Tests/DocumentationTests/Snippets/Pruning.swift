// From Docs/Pruning.md.
import ModelCheckpoints
import ModelCompression

func dropMiddle(of path: String, to output: String) throws {
  let model = try Checkpoint(path: path)
  let plan = PruningPlan(
    parentLayerCount: model.hyperparameters.layerCount, keptLayers: [0, 1, 2, 9, 10, 11], criterion: .explicit)
  try model.pruned(by: plan).write(to: output, as: .huggingFace)
}

func heal(_ path: String, by plan: PruningPlan, reading text: String) throws -> Checkpoint {
  let model = try Checkpoint(path: path)
  let set = try CalibrationSet(text: text, model: model, context: 512, limit: nil).spread(to: 40)
  let healing = try Healer().heal(model, plan: plan, on: set)
  for step in healing.steps where !step.isKept { print(step.weights, step.reason ?? "") }
  return try model.pruned(by: plan).replacing(healing.overlay)
}
