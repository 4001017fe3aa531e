import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCompression

/// A cut through blocks, where the result has another element format: the numbers of the parent are rounded once.
@Suite struct ExactCutTests {
  private let parent: Checkpoint
  private let plan: PruningPlan
  private static let layer = 3
  private static let down = WeightKey(.down, layer: layer)

  /// Every neuron but each fourth: no block stays whole.
  private static let kept = (0..<256).filter { $0 % 4 != 1 }

  init() throws {
    parent = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    var plan = PruningPlan(parentLayerCount: 12, keptLayers: Array(0..<12), criterion: .explicit)
    for layer in 0..<12 { plan.keptIndices[ScopedAxis(.intermediate, layer: layer)] = Self.kept }
    self.plan = plan
  }

  private func made(of source: Checkpoint, _ format: ElementFormat?, _ scheme: QuantizationScheme? = nil) throws
    -> Checkpoint
  {
    try Recipe(parent: source, output: .huggingFace, pruning: plan, elementFormat: format, quantization: scheme)
      .applied(to: source)
  }

  private func gathered(_ source: Checkpoint) throws -> [Float] {
    let values = try source.values(named: source.huggingFaceName(of: Self.down))
    return (0..<96).flatMap { row in Self.kept.map { values[row * 256 + $0] } }
  }

  private func values(_ model: Checkpoint) throws -> [Float] {
    try model.values(named: model.huggingFaceName(of: Self.down))
  }

  @Test(arguments: [ElementFormat.q8_0, .q4_0, .q4_1]) func blockFormatsAreNotEncodedOnTheWay(_ format: ElementFormat)
    throws
  {
    let source = parent.converted(to: format, for: .gguf)
    #expect(source.weights[Self.down]?.format == format)
    let expected = try gathered(source)
    #expect(try values(made(of: source, .f32)) == expected)
    // In the parent's own format they have to be.
    let kept = try source.pruned(by: plan)
    #expect(kept.weights[Self.down]?.format == format)
    #expect(try values(kept) != expected)
    #expect(try values(kept.unrounded) == expected)
  }

  @Test func scaledBlocksAreNotQuantizedAgainOnTheWay() throws {
    let source = try parent.quantized(by: QuantizationScheme(kind: .fp8Block))
    let expected = try gathered(source)
    #expect(try values(made(of: source, .f32)) == expected)
    #expect(try values(source.pruned(by: plan)) != expected)
    // Codes of the numbers themselves, not of codes.
    let rows = QuantizationScheme(kind: .fp8Dynamic)
    var plain = source
    plain.weights[Self.down] = Weight(LazyTensor(try values(source), shape: [96, 256]))
    let once = try plain.pruned(by: plan).quantized(by: rows)
    #expect(try values(made(of: source, nil, rows)) == values(once))
  }

  @Test func weightsWithoutRoundedInputsAreQuantizedAgain() throws {
    var source = try parent.quantized(by: QuantizationScheme(kind: .fp8Block))
    source.quantization!.activations = .none
    let cut = try source.pruned(by: plan)
    #expect(cut.weights[Self.down]?.scale?.granularity == .block(rows: 128, columns: 128))
    let relative = try normalizedError(gathered(source), values(cut))
    #expect(relative > 0 && relative < 2e-3)
  }

  /// Gemma's table is enlarged when hidden channels go.
  @Test func enlargedEmbeddingsAreRoundedOnce() throws {
    let model = try Pico.checkpoint("gemma2").converted(to: .bf16, for: .huggingFace)
    let size = model.hyperparameters.hiddenSize
    var plan = PruningPlan(
      parentLayerCount: model.hyperparameters.layerCount, keptLayers: Array(0..<model.hyperparameters.layerCount),
      criterion: .explicit)
    plan.keptIndices[ScopedAxis(.hidden)] = Array(0..<size - 8)
    let recipe = Recipe(parent: model, output: .huggingFace, pruning: plan, elementFormat: .f32)
    let table = try recipe.applied(to: model).values(named: "model.embed_tokens.weight")
    let old = try model.values(named: "model.embed_tokens.weight")
    let factor = Float((Double(size) / Double(size - 8)).squareRoot())
    let rows = old.count / size
    let expected = (0..<rows).flatMap { row in (0..<size - 8).map { factor * old[row * size + $0] } }
    #expect(table == expected)
  }
}
