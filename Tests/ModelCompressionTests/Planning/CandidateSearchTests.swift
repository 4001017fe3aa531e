import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

@Suite struct CandidateSearchTests {
  private let model: Checkpoint
  private let planner: Planner
  private let tokens: CalibrationSet

  init() throws {
    model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    tokens = .random(for: model, context: 12, count: 1)
    let statistics = try ActivationStatistics(of: model, on: tokens)
    planner = Planner(
      for: model, by: statistics, costs: try LayerCosts(.blockInfluence, from: statistics), isContiguous: false)
  }

  private func search(_ goal: SizeGoal) throws -> CandidateSearch {
    let output = OutputFormat()
    var settings = SizeSpace.Settings()
    settings.dimensions = [.layers, .intermediate, .hidden]
    let space = try SizeSpace(of: model.hyperparameters, in: output, settings: settings)
    let footprint = FootprintModel(of: model, as: output, context: 32)
    var search = CandidateSearch(planner, try SizeSolver(goal, in: space, footprint: footprint))
    search.runLimit = 3
    return search
  }

  @Test func runsTheBestAndChoosesByLoss() throws {
    let search = try search(.parameterShare(0.6))
    let candidates = try search.candidates(heldOut: tokens)
    let run = candidates.filter { $0.loss != nil }
    #expect(run.count == 3)
    #expect(run == Array(candidates.prefix(3)))
    #expect(zip(run, run.dropFirst()).allSatisfy { $0.loss! <= $1.loss! })
    #expect(candidates.count { $0.isChosen } == 1 && candidates[0].isChosen)
    // As many layers, each.
    #expect(Set(run.map(\.sizes.layers)).count == 3)
    let plan = try search.plan(for: candidates[0])
    let pruned = try model.pruned(by: plan)
    #expect(ModelSizes(pruned.hyperparameters) == candidates[0].sizes)
    #expect(pruned.parameterCount == candidates[0].parameters)
    #expect(Double(pruned.parameterCount) <= 0.6 * Double(model.parameterCount))
    #expect(try Perplexity(of: pruned, on: tokens).meanLoss == candidates[0].loss)
  }

  @Test func ranksByTheEstimateWithoutText() throws {
    let candidates = try search(.parameterShare(0.7)).candidates()
    #expect(candidates.allSatisfy { $0.loss == nil })
    #expect(zip(candidates, candidates.dropFirst()).allSatisfy { $0.estimate <= $1.estimate })
    #expect(candidates[0].isChosen)
  }

  @Test func judgesAfterHealing() throws {
    var search = try search(.parameterShare(0.6))
    search.healLimit = 2
    // Healing that makes a model of a layer less is none; it shows that the healed model is what ranks.
    let candidates = try search.candidates(heldOut: tokens) { pruned, _ in
      try pruned.keeping(layers: Array(0..<pruned.hyperparameters.layerCount - 1))
    }
    let run = candidates.filter { $0.healedLoss != nil }
    #expect(run.count == 2)
    #expect(run == Array(candidates.prefix(2)))
    #expect(run[0].healedLoss! <= run[1].healedLoss!)
    #expect(run.allSatisfy { $0.healedLoss != $0.loss && $0.loss! <= candidates[2].loss! })
  }

  @Test func plansSayWhy() throws {
    let search = try search(.parameterShare(0.6))
    let candidate = try #require(search.candidates().first { $0.sizes.layers < 12 && $0.sizes.intermediate < 256 })
    let plan = try search.plan(for: candidate)
    #expect(plan.parent == PruningPlan.Parent(model))
    let layers = try #require(plan.reasons.first { $0.axis == "layers" })
    #expect(layers.criterion == "blockInfluence")
    #expect(layers.kept == candidate.sizes.layers)
    #expect(layers.target == "60.0 % of the parameters")
    #expect(plan.reasons.first { $0.axis == "intermediate" }?.settings == ["sequence": "l2", "batch": "l2"])
    #expect(try PruningPlan(parsing: JSON(encoding: plan).serializedBytes(), name: "plan.json") == plan)
  }

  @Test func theEstimateGrowsWithEveryCut() throws {
    let estimate = DamageEstimate(planner)
    let parent = ModelSizes(model.hyperparameters)
    #expect(abs(estimate(parent)) < 1e-9)
    for path in [\ModelSizes.layers, \.hidden, \.intermediate] {
      var (last, sizes) = (0.0, parent)
      for _ in 0..<4 {
        sizes[keyPath: path] -= 2
        #expect(estimate(sizes) > last)
        last = estimate(sizes)
      }
    }
    var heads = parent
    heads.queryHeads = 2
    #expect(estimate(heads) > 0)
  }
}
