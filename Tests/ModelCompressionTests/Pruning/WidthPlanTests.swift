import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import ModelCompute
import TensorFormats
import Testing

@Suite struct WidthPlanTests {
  static let names = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]

  private func planned(_ name: String, _ target: (Hyperparameters) -> PruningTarget) throws -> (Checkpoint, PruningPlan)
  {
    let model = try Checkpoint(path: Fixture.path("models/\(name)-pico"))
    let statistics = try ActivationStatistics(of: model, on: .random(for: model, context: 16, count: 2))
    return (model, try PruningPlan(for: model.hyperparameters, to: target(model.hyperparameters), by: statistics))
  }

  @Test(arguments: names) func cutsEveryAxisToItsTarget(name: String) throws {
    let (model, plan) = try planned(name) { sizes in
      PruningTarget(
        layers: sizes.layerCount - 1, hidden: sizes.hiddenSize - 4, intermediate: sizes.intermediateSize / 2,
        queryHeads: sizes.queryHeadCount / sizes.keyValueHeadCount, keyValueHeads: 1)
    }
    let sizes = model.hyperparameters
    let pruned = try model.pruned(by: plan)
    #expect(pruned.hyperparameters.layerCount == sizes.layerCount - 1)
    #expect(pruned.hyperparameters.hiddenSize == sizes.hiddenSize - 4)
    #expect(pruned.hyperparameters.intermediateSize == sizes.intermediateSize / 2)
    #expect(pruned.hyperparameters.keyValueHeadCount == 1)
    let logits = try pruned.network.logits([1, 2, 3, 4, 5])
    #expect(!logits.values.contains { !$0.isFinite })
  }

  @Test(arguments: names) func aWrittenPrunedModelIsVerified(name: String) throws {
    let (model, plan) = try planned(name) { sizes in
      PruningTarget(intermediate: sizes.intermediateSize - 8, queryHeads: sizes.keyValueHeadCount)
    }
    let folder = TemporaryFolder()
    let recipe = Recipe(parent: model, output: .huggingFace, pruning: plan)
    try recipe.applied(to: model).write(to: folder.file("pruned"), as: .huggingFace)
    let written = try Checkpoint(path: folder.file("pruned"))
    let report = try Verifier().verify(written, against: model, on: .random(for: model, context: 16, count: 1))
    #expect(report.correctness.passes)
    #expect(written.hyperparameters.headDimension == model.hyperparameters.headDimension)
  }

  @Test func keepsAsManyQueryHeadsInEveryGroup() throws {
    let (model, plan) = try planned("qwen2") { PruningTarget(queryHeads: 2 * $0.keyValueHeadCount) }
    let group = model.hyperparameters.queryHeadCount / model.hyperparameters.keyValueHeadCount
    for layer in 0..<model.hyperparameters.layerCount {
      let kept = try #require(plan.keptIndices[ScopedAxis(.queryHead, layer: layer)])
      #expect(Dictionary(grouping: kept) { $0 / group }.values.map(\.count) == [2, 2])
    }
  }

  @Test func survivesJSON() throws {
    let (_, plan) = try planned("llama") { PruningTarget(hidden: $0.hiddenSize - 2, intermediate: 10) }
    let text = try JSON(encoding: plan).serialized(.indented)
    #expect(try PruningPlan(parsing: Array(text.utf8), name: "plan.json") == plan)
  }

  @Test func refusesSizesThatTheModelCannotBeCutTo() throws {
    for target in [
      PruningTarget(hidden: 1000), PruningTarget(intermediate: 0), PruningTarget(queryHeads: 3),
      PruningTarget(keyValueHeads: 5), PruningTarget(layers: 9),
    ] {
      #expect(throws: CompressionError(.invalidPlan, "")) { try planned("llama") { _ in target } }
    }
  }

  @Test func dropsTheRunOfLayersThatTurnsTheStreamLeast() throws {
    let model = try Checkpoint(path: Fixture.path("models/gemma2-pico"))
    let statistics = try ActivationStatistics(of: model, on: .random(for: model, context: 16, count: 2))
    let plan = try PruningPlan(
      for: model.hyperparameters, to: PruningTarget(layers: 2), by: statistics, criterion: .angularDistance)
    let runs = (0...2).map { statistics.angularDistances[$0][1] }
    let best = try #require(runs.indices.min { runs[$0] < runs[$1] })
    #expect(plan.droppedLayers == [best, best + 1])
    #expect(plan.criterion == .angularDistance)
    #expect(try PruningPlan(parsing: JSON(encoding: plan).serializedBytes(), name: "plan.json") == plan)
    let whole = try PruningPlan(
      for: model.hyperparameters, to: PruningTarget(), by: statistics, criterion: .angularDistance)
    #expect(whole.droppedLayers.isEmpty)
  }
}
