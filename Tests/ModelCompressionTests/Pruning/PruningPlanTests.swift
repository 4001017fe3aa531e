import ModelArchitectures
import TensorFormats
import Testing

@testable import ModelCompression

@Suite struct PruningPlanTests {
  static let scores = [0.9, 0.1, 0.5, 0.2, 0.8]
  static let influence = LayerCosts(BlockInfluence(scores: scores, tokenCount: 10))

  @Test func keepsTheMostInfluentialLayersInTheirOrder() throws {
    let plan = try PruningPlan(keeping: 3, by: Self.influence)
    #expect(plan.keptLayers == [0, 2, 4])
    #expect(plan.droppedLayers == [1, 3])
    #expect(plan.scores == Self.scores)
    #expect(plan.criterion == .blockInfluence)
  }

  @Test func keepsTheEarlierOfEquals() throws {
    let plan = try PruningPlan(keeping: 2, by: LayerCosts(BlockInfluence(scores: [0.3, 0.5, 0.3, 0.3], tokenCount: 1)))
    #expect(plan.keptLayers == [0, 1])
  }

  @Test func keepingAllDropsNone() throws {
    #expect(try PruningPlan(keeping: 5, by: Self.influence).droppedLayers.isEmpty)
  }

  @Test(arguments: [0, -1, 6, .min, .max]) func refusesToKeepWhatIsNotThere(_ count: Int) {
    #expect(throws: CompressionError(.invalidPlan, "")) { _ = try PruningPlan(keeping: count, by: Self.influence) }
  }

  @Test(arguments: [Double.nan, .infinity]) func refusesScoresThatRankNothing(_ score: Double) {
    let influence = LayerCosts(BlockInfluence(scores: [0.1, score, 0.2], tokenCount: 1))
    let error = #expect(throws: CompressionError.self) { _ = try PruningPlan(keeping: 1, by: influence) }
    #expect(error?.code == .invalidPlan)
    #expect(error?.message.contains("layer 1") == true)
  }

  @Test func survivesJSON() throws {
    let plans = [
      try PruningPlan(keeping: 2, by: Self.influence),
      PruningPlan(parentLayerCount: 3, keptLayers: [0, 2], criterion: .explicit),
    ]
    for plan in plans {
      let text = try JSON(encoding: plan).serialized(.indented)
      #expect(try PruningPlan(parsing: Array(text.utf8), name: "plan.json") == plan)
    }
  }

  private static let defects: [(String, String)] = [
    (#"{"parentLayerCount":3,"keptLayers":[0,2],"criterion":"explicit","keepLayers":[1]}"#, "keepLayers"),
    (#"{"parentLayerCount":3,"keptLayers":[0,2,2],"criterion":"explicit"}"#, "ascending"),
    (#"{"parentLayerCount":3,"keptLayers":[2,0],"criterion":"explicit"}"#, "ascending"),
    (#"{"parentLayerCount":3,"keptLayers":[-1,0],"criterion":"explicit"}"#, "ascending"),
    (#"{"parentLayerCount":3,"keptLayers":[0,3],"criterion":"explicit"}"#, "below 3"),
    (#"{"parentLayerCount":3,"keptLayers":[],"criterion":"explicit"}"#, "no layer"),
    (#"{"parentLayerCount":3,"keptLayers":[0],"criterion":"blockInfluence","scores":[1]}"#, "1 scores for 3 layers"),
    (#"{"parentLayerCount":3,"keptLayers":[0],"criterion":"magic"}"#, "magic"),
    (#"{"keptLayers":[0],"criterion":"explicit"}"#, "parentLayerCount"),
    (#"{"parentLayerCount":3,"keptLayers":[0],"keptLayers":[1],"criterion":"explicit"}"#, "keptLayers"),
    (
      #"{"parentLayerCount":3,"keptLayers":[0],"criterion":"explicit","keptIndices":{"layers.0.hidden":[1]}}"#,
      "layers.0.hidden"
    ),
    (
      #"{"parentLayerCount":3,"keptLayers":[0],"criterion":"explicit","keptIndices":{"intermediate":[1]}}"#,
      "intermediate"
    ),
    (
      #"{"parentLayerCount":3,"keptLayers":[0],"criterion":"explicit","keptIndices":{"layers.1.intermediate":[1]}}"#,
      "layers.1"
    ),
    (#"[0, 1]"#, "plan.json"),
    (#"{"#, "plan.json"),
  ]

  @Test(arguments: defects) func refusesAnEditedPlanThatMeansNothing(_ text: String, _ clue: String) {
    let error = #expect(throws: CompressionError.self) {
      _ = try PruningPlan(parsing: Array(text.utf8), name: "plan.json")
    }
    #expect(error?.code == .invalidPlan)
    #expect(error?.message.contains(clue) == true, "\(error?.message ?? "no error")")
    #expect(error?.message.contains("\n") == false)
  }

  private static let badIndices: [(ScopedAxis, [Int])] = [
    (ScopedAxis(.hidden), []), (ScopedAxis(.hidden), [0, 0]), (ScopedAxis(.hidden), [-1, 3]),
    (ScopedAxis(.hidden), [1, 32]), (ScopedAxis(.hidden), [.min, .max]),
    (ScopedAxis(.intermediate, layer: 2), [0, 1]), (ScopedAxis(.intermediate, layer: 7), [0, 1]),
    (ScopedAxis(.queryHead, layer: 0), [0, 1, 2]),
  ]

  @Test(arguments: badIndices) func refusesIndicesThatAreNotThere(_ axis: ScopedAxis, _ indices: [Int]) throws {
    var plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 1, 2], criterion: .explicit)
    plan.keptIndices[axis] = indices
    #expect(throws: (any Error).self) { _ = try Pico.checkpoint("llama").pruned(by: plan) }
  }

  @Test func refusesAPlanForAnotherModel() throws {
    let plan = PruningPlan(parentLayerCount: 4, keptLayers: [0], criterion: .explicit)
    let error = #expect(throws: CompressionError.self) { _ = try Pico.checkpoint("llama").pruned(by: plan) }
    #expect(error?.message == "the plan is for 4 layers, the model has 3")
  }
}
