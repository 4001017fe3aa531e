import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@testable import ModelCompression

/// A model that was pruned, had two weights replaced and was quantized: verified with the new weights at hand, and without.
@Suite struct OverlayVerificationTests {
  private static let plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 2], criterion: .explicit)
  private let folder = TemporaryFolder()
  private let parent: Checkpoint
  private let overlay: WeightOverlay
  private let set: CalibrationSet

  init() throws {
    parent = try Pico.checkpoint("llama")
    set = try Pico.tokens()
    let pruned = try parent.pruned(by: Self.plan)
    var weights: [WeightKey: LazyTensor] = [:]
    for key in [WeightKey(.down, layer: 1), WeightKey(.finalNorm)] {
      let values = try pruned.weights[key]!.values.decoded().map { $0 * 1.25 + 0.001 }
      weights[key] = LazyTensor(values, shape: pruned.weights[key]!.shape)
    }
    overlay = try WeightOverlay(weights, for: pruned, method: "testing")
  }

  private func write(_ change: (inout Recipe) -> Void = { _ in }) throws -> Recipe {
    var recipe = Recipe(
      parent: parent, output: .huggingFace, pruning: Self.plan, elementFormat: .bf16,
      quantization: QuantizationScheme())
    change(&recipe)
    try recipe.seal(parent: parent, overlay: overlay)
    try recipe.write(of: parent, overlay: overlay, to: folder.file("out"))
    return recipe
  }

  private func verify(_ overlay: WeightOverlay?) throws -> VerificationReport {
    try Verifier().verify(Checkpoint(path: folder.file("out")), against: parent, overlay: overlay, on: set)
  }

  @Test(arguments: [true, false]) func everyWeightIsChecked(hasOverlay: Bool) throws {
    _ = try write()
    let report = try verify(hasOverlay ? overlay : nil)
    #expect(report.passes)
    #expect(report.correctness.normalizedError == 0)
    let checks = report.correctness.checks
    #expect(checks.recomputed == 18 && checks.overlaid == (hasOverlay ? 2 : 0) && checks.hashed == (hasOverlay ? 0 : 2))
    #expect(report.layers.map(\.parentLayer) == [0, 2, nil])
    #expect(report.layers[0].cosine > 0.99999 && report.layers[2].cosine < 0.99)
  }

  @Test(arguments: [true, false], ["model.layers.1.mlp.down_proj.weight", "model.norm.weight"])
  func aFlippedBitOfANewWeightIsFound(hasOverlay: Bool, name: String) throws {
    _ = try write()
    let entry = try TensorTable(folder.file("out/model.safetensors")).file.entry(name)
    try folder.flip(byte: entry.range.lowerBound + 8, of: "out/model.safetensors")
    let report = try verify(hasOverlay ? overlay : nil)
    #expect(!report.correctness.passes)
    #expect(report.correctness.differingTensors == [name])
  }

  @Test func anotherOverlayIsRefused() throws {
    let recipe = try write()
    let pruned = try parent.pruned(by: Self.plan)
    let other = try WeightOverlay(
      overlay.weights.reduce(into: [:]) { $0[$1.key] = $1.value.rowCount == 1 ? nil : $1.value }, for: pruned,
      method: "testing")
    #expect(throws: CompressionError(.wrongOverlay, "")) { _ = try verify(other) }
    #expect(throws: CompressionError(.wrongOverlay, "")) { _ = try recipe.applied(to: parent) }
    var plain = recipe
    plain.overlay = nil
    #expect(throws: CompressionError(.wrongOverlay, "")) { _ = try plain.applied(to: parent, overlay: overlay) }
  }

  @Test func newWeightsTakeTheFormatOfThoseTheyReplace() throws {
    let bf16 = parent.converted(to: .bf16, for: .huggingFace)
    let recipe = Recipe(parent: bf16, output: .huggingFace, pruning: Self.plan)
    var sealed = recipe
    try sealed.record(overlay, for: bf16)
    let made = try sealed.applied(to: bf16, overlay: overlay)
    #expect(made.weights.values.allSatisfy { $0.format == .bf16 })
    #expect(sealed.overlay?.weights.keys.sorted() == ["model.layers.1.mlp.down_proj.weight", "model.norm.weight"])
  }

  @Test(arguments: [QuantizationScheme.Kind.fp8Dynamic, .fp8Block]) func newWeightsOfAnFP8ModelBecomeCodes(
    kind: QuantizationScheme.Kind
  ) throws {
    let bf16 = parent.converted(to: .bf16, for: .huggingFace)
    let fp8 = try bf16.quantized(by: QuantizationScheme(kind: kind))
    var recipe = Recipe(parent: fp8, output: .huggingFace, pruning: Self.plan)
    try recipe.record(overlay, for: fp8)
    let made = try recipe.applied(to: fp8, overlay: overlay)
    let key = WeightKey(.down, layer: 1)
    let direct = try bf16.pruned(by: Self.plan).replacing(overlay).quantized(by: QuantizationScheme(kind: kind))
    #expect(made.weights[key]?.format == .f8E4M3)
    let (codes, expected) = try (made.weights[key]!.values.bytes(), direct.weights[key]!.values.bytes())
    #expect(codes == expected)
    #expect(made.weights[WeightKey(.finalNorm)]?.format == .bf16)
  }

  @Test func theRecipeSurvivesItsFile() throws {
    let recipe = try write()
    let read = try #require(try Recipe(of: Checkpoint(path: folder.file("out"))))
    #expect(read == recipe)
    #expect(try recipe.parent.contentHash == parent.contentHash())
    #expect(read.provenance?.parentFiles.map(\.name) == ["config.json", "model.safetensors"])
    var other = recipe.parent
    other.contentHash = ContentHash(of: [])
    #expect(throws: CompressionError(.wrongRecipe, "")) { try recipe.parent.check(other) }
  }
}
