import ModelArchitectures
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

/// Plans are edited by hand.
@Suite struct PlanValidationTests {
  /// Qwen 2 pico: 3 layers, hidden 48, ffn 80, 6 query heads in 2 groups.
  private let model: Checkpoint
  private let whole: PruningPlan

  init() throws {
    model = try Pico.checkpoint("qwen2")
    whole = PruningPlan(parentLayerCount: 3, keptLayers: [0, 1, 2], criterion: .explicit)
  }

  private static func all(_ axis: Axis, _ indices: [Int]) -> [ScopedAxis: [Int]] {
    Dictionary(uniqueKeysWithValues: (0..<3).map { (ScopedAxis(axis, layer: $0), indices) })
  }

  private static let good: [[ScopedAxis: [Int]]] = [
    [ScopedAxis(.hidden): [0, 47]],
    all(.intermediate, [3, 79]),
    all(.queryHead, [0, 3]),
    all(.queryHead, [1, 2, 3, 5]),
    all(.keyValueHead, [1]).merging(all(.queryHead, [3, 5])) { $1 },
    all(.keyValueHead, [0]).merging(all(.queryHead, [0, 1, 2])) { $1 },
  ]

  @Test(arguments: good) func acceptsWhatMakesAModel(_ indices: [ScopedAxis: [Int]]) throws {
    var plan = whole
    plan.keptIndices = indices
    let pruned = try model.pruned(by: plan)
    #expect(pruned.hyperparameters.headDimension == 8)
  }

  private static let bad: [([ScopedAxis: [Int]], String)] = [
    ([ScopedAxis(.hidden): []], "axis 'hidden' keeps no index"),
    ([ScopedAxis(.hidden): [0, 48]], "axis 'hidden' keeps index 48, expected 0 to 47"),
    ([ScopedAxis(.hidden): [-1, 3]], "axis 'hidden' keeps index -1, expected 0 to 47"),
    ([ScopedAxis(.hidden): [.min, .max]], "axis 'hidden' keeps index \(Int.min), expected 0 to 47"),
    ([ScopedAxis(.hidden): [0, 1, 1]], "axis 'hidden' keeps index 1 twice"),
    ([ScopedAxis(.hidden): [0, 2, 1]], "axis 'hidden' keeps index 1 after 2, expected ascending indices"),
    ([ScopedAxis(.vocabulary): [0]], "axis 'vocabulary' cannot be cut"),
    ([ScopedAxis(.headDimension): [0]], "axis 'headDimension' cannot be cut"),
    (
      [ScopedAxis(.intermediate, layer: 1): [0, 1]],
      "layer 1 keeps 2 indices of 'intermediate' and layer 0 80, expected the same in all layers"
    ),
    (
      [ScopedAxis(.intermediate, layer: 3): [0, 1]],
      "the plan cuts 'layers.3.intermediate' of a layer that it does not keep"
    ),
    (
      all(.queryHead, [0, 1, 3]),
      "axis 'layers.0.queryHead' keeps 1 heads of group 1 and 2 of group 0, expected as many in every group"
    ),
    (
      all(.queryHead, [0, 1]),
      "axis 'layers.0.queryHead' keeps 0 heads of group 1 and 2 of group 0, expected as many in every group"
    ),
    (
      all(.keyValueHead, [0]),
      "axis 'layers.0.queryHead' keeps head 3, whose key-value head 1 is dropped"
    ),
    (
      all(.keyValueHead, [1]).merging(all(.queryHead, [0, 3])) { $1 },
      "axis 'layers.0.queryHead' keeps head 0, whose key-value head 0 is dropped"
    ),
  ]

  @Test(arguments: bad) func refusesWhatMakesNone(_ indices: [ScopedAxis: [Int]], _ message: String) throws {
    var plan = whole
    plan.keptIndices = indices
    let error = #expect(throws: CompressionError.self) { try model.pruned(by: plan) }
    #expect(error?.code == .invalidPlan)
    #expect(error?.message == message)
  }

  private static let otherParents: [(@Sendable (inout PruningPlan.Parent) -> Void, String)] = [
    ({ $0.family = "llama" }, "the plan is for a llama, the model is a qwen2"),
    ({ $0.layerCount = 4 }, "the plan is for a model of layerCount 4, the model has 3"),
    ({ $0.hiddenSize = 64 }, "the plan is for a model of hiddenSize 64, the model has 48"),
    ({ $0.intermediateSize = 81 }, "the plan is for a model of intermediateSize 81, the model has 80"),
    ({ $0.queryHeadCount = 8 }, "the plan is for a model of queryHeadCount 8, the model has 6"),
    ({ $0.keyValueHeadCount = 1 }, "the plan is for a model of keyValueHeadCount 1, the model has 2"),
    ({ $0.headDimension = 9 }, "the plan is for a model of headDimension 9, the model has 8"),
    ({ $0.vocabularySize = 1 }, "the plan is for a model of vocabularySize 1, the model has 104"),
    (
      { $0.contentHash = ContentHash(of: [1]) },
      "the plan is for the model with the content hash \(ContentHash(of: [1])), this one has \(ContentHash(of: [2]))"
    ),
  ]

  @Test(arguments: otherParents) func refusesAnotherModel(
    _ change: @Sendable (inout PruningPlan.Parent) -> Void, _ message: String
  ) throws {
    var plan = whole
    var parent = PruningPlan.Parent(model, contentHash: ContentHash(of: [2]))
    plan.parent = parent
    try plan.validate(for: model, contentHash: ContentHash(of: [2]))
    // A hash that nobody knows is not held against anyone.
    try plan.validate(for: model)
    change(&parent)
    plan.parent = parent
    let error = #expect(throws: CompressionError.self) {
      try plan.validate(for: model, contentHash: ContentHash(of: [2]))
    }
    #expect(error?.message == message)
  }

  private static let texts: [(String, String)] = [
    (#""parent":{"family":"qwen2"}"#, "layerCount"),
    (#""parent":{"family":"qwen2","colour":"red"}"#, "colour"),
    (#""reasons":[{"axis":"hidden","parent":1,"kept":1,"criterion":"a","target":"b","mood":"good"}]"#, "mood"),
    (#""reasons":"none""#, "reasons"),
    (#""parent":{"family":"a","layerCount":1.5}"#, "layerCount"),
    (#""keptIndices":{"layers.0.neurons":[1]}"#, "layers.0.neurons"),
    (#""keptIndices":{"layers.00.intermediate":[1]}"#, "layers.00"),
    (#""keptIndices":{"hidden":["a"]}"#, "hidden"),
    (#""keptIndices":{"hidden":[1.5]}"#, "hidden"),
    (#""keptIndices":{"hidden":[1e30]}"#, "hidden"),
  ]

  @Test(arguments: texts) func refusesTextThatMeansNothing(_ member: String, _ clue: String) {
    let text = #"{"parentLayerCount":3,"keptLayers":[0,1,2],"criterion":"explicit",\#(member)}"#
    let error = #expect(throws: CompressionError.self) {
      _ = try PruningPlan(parsing: Array(text.utf8), name: "plan.json")
    }
    #expect(error?.message.contains(clue) == true, "\(error?.message ?? "no error")")
    #expect(error?.message.contains("\n") == false)
  }
}
