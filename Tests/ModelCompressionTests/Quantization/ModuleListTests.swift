import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCompression

/// Lists of modules that are not quantized speak of the layers that a model has.
@Suite struct ModuleListTests {
  private static let down = "model.layers.2.mlp.down_proj"
  private static let plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 2], criterion: .explicit)
  private let folder = TemporaryFolder()

  /// Layer 2 has one plain matrix and layer 1 has two, by a pattern.
  private func quantized(_ kind: QuantizationScheme.Kind, _ dialect: QuantizationDialect) throws -> Checkpoint {
    let scheme = QuantizationScheme(
      kind: kind, dialect: dialect, ignored: ["lm_head", Self.down, "re:.*layers\\.1\\.mlp\\.(gate|up)_proj"])
    return try Pico.checkpoint("llama").quantized(by: scheme)
  }

  private func written(_ model: Checkpoint, _ name: String) throws -> Checkpoint {
    try model.write(to: folder.file(name), as: .huggingFace)
    return try Checkpoint(path: folder.file(name))
  }

  @Test(arguments: [
    (QuantizationScheme.Kind.fp8Dynamic, QuantizationDialect.compressedTensors), (.fp8Dynamic, .modelOpt),
    (.fp8Block, .fp8), (.fp8Block, .transformers),
  ])
  func followTheLayersOfACut(_ kind: QuantizationScheme.Kind, _ dialect: QuantizationDialect) throws {
    let parent = try written(quantized(kind, dialect), "parent")
    #expect(parent.warnings == [])
    let recipe = Recipe(parent: parent, output: .huggingFace, pruning: Self.plan)
    try recipe.write(of: parent, to: folder.file("cut"))
    let cut = try Checkpoint(path: folder.file("cut"))
    #expect(cut.warnings == [])
    let ignored = try #require(cut.quantization?.ignored)
    #expect(ignored.contains("model.layers.1.mlp.down_proj") && !ignored.contains(Self.down))
    #expect(
      cut.weights[WeightKey(.down, layer: 1)]?.scale == nil && cut.weights[WeightKey(.gate, layer: 1)]?.scale != nil)
    #expect(!ignored.contains { ModulePattern($0).matches("model.layers.1.mlp.gate_proj") })
    let config = try folder.text(of: "cut/config.json")
    #expect(
      config.contains("model.layers.1.mlp.down_proj") && !config.contains("layers.2.") && config.contains("lm_head"))
    if dialect == .modelOpt {
      let file = try folder.text(of: "cut/hf_quant_config.json")
      #expect(file.contains("model.layers.1.mlp.down_proj") && !file.contains("layers.2."))
    }
    #expect(try Verifier().verify(cut, against: parent, on: Pico.tokens()).passes)
  }

  /// Patterns that mean the same afterwards stay what they are.
  @Test func keepsAPatternThatSpeaksOfNoLayer() throws {
    let scheme = QuantizationScheme(ignored: ["lm_head", "re:.*q_proj"])
    let cut = try Pico.checkpoint("llama").quantized(by: scheme).pruned(by: Self.plan)
    #expect(cut.quantization?.ignored == ["lm_head", "re:.*q_proj"])
  }

  @Test func aPatternOfSomeLayersBecomesTheirNames() throws {
    let scheme = QuantizationScheme(ignored: ["lm_head", "re:.*layers\\.(0|2)\\.mlp\\.up_proj"])
    let cut = try Pico.checkpoint("llama").quantized(by: scheme).pruned(by: Self.plan)
    #expect(cut.quantization?.ignored == ["lm_head", "model.layers.0.mlp.up_proj", "model.layers.1.mlp.up_proj"])
  }

  @Test(arguments: [
    (
      "re:.*q_proj",
      "'model.layers.0.self_attn.k_proj' is quantized and 'model.layers.0.self_attn.q_proj' is not (and so in 2 more sets)"
    ),
    (
      "model.layers.1.mlp.gate_proj",
      "'model.layers.1.mlp.up_proj' is quantized and 'model.layers.1.mlp.gate_proj' is not: vLLM"
    ),
    ("re:.*[qkv]_proj", nil), ("*down_proj", nil),
  ])
  func aPartOfASetThatEnginesFuseIsWarnedOf(_ ignored: String, _ message: String?) throws {
    let model = try Pico.checkpoint("llama").quantized(by: QuantizationScheme(ignored: ["lm_head", ignored]))
    for warnings in [model.warnings, try written(model, "part").warnings] {
      #expect(warnings.count == (message == nil ? 0 : 1), "\(warnings)")
      if let message { #expect(warnings.first?.contains(message) == true, "\(warnings)") }
    }
  }

  @Test(arguments: [
    ("model.layers.0.mlp.up_proj", "model.layers.2.mlp.down_proj"), ("model.layers.0.mlp.up_proj", nil),
  ])
  func aListThatSaysSomethingElseIsWarnedOf(name: String, other: String?) throws {
    var model = try quantized(.fp8Dynamic, .compressedTensors)
    var layout = try #require(model.quantization)
    layout.ignored = layout.ignored.map { $0 == Self.down ? name : $0 } + [other].compactMap(\.self)
    model.setQuantization(layout)
    let warnings = try written(model, "wrong").warnings
    #expect(warnings.contains { $0.contains("'\(name)' is listed as not quantized, and its weights are codes") })
    #expect(warnings.contains { $0.contains("'\(Self.down)' is not quantized, and no list says so") } == (other == nil))
  }
}
