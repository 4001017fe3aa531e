import OrderedCollections
import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

/// FP8 checkpoints written, opened again, run and converted.
@Suite struct FP8CheckpointTests {
  private let folder: TemporaryFolder

  init() throws { folder = TemporaryFolder() }

  private func compressed(_ family: String, pruning: PruningPlan? = nil) throws -> Checkpoint {
    let model = try Pico.checkpoint(family)
    let recipe = Recipe(
      parent: model, output: .huggingFace, pruning: pruning, elementFormat: .bf16, quantization: QuantizationScheme())
    try recipe.applied(to: model).write(to: folder.file("fp8"), as: .huggingFace)
    return try Checkpoint(path: folder.file("fp8"))
  }

  @Test(arguments: Pico.families) func readsBackAsCodesTimesScales(_ family: String) throws {
    let model = try compressed(family)
    let table = try TensorTable(folder.file("fp8/model.safetensors"))
    var quantized = 0
    for (key, weight) in model.weights {
      let name = model.huggingFaceName(of: key)
      #expect(key.isQuantizable == (weight.format == .f8E4M3))
      guard weight.format == .f8E4M3 else {
        #expect(weight.format == .bf16)
        continue
      }
      quantized += 1
      let (codes, scales) = (try table.bytes(name), try table.floats(name + "_scale"))
      let expected = codes.indices.map { Float8E4M3.decode(codes[$0]) * scales[$0 / weight.shape[1]] }
      #expect(try model.values(named: name) == expected, "\(name)")
    }
    #expect(quantized > 0)
    #expect(model.mainFormat == .f8E4M3)
  }

  @Test(arguments: Pico.families) func runsAndStaysNearItsParent(_ family: String) throws {
    let model = try compressed(family)
    let set = try Pico.tokens(family)
    let parent = try Pico.checkpoint(family)
    let error = normalizedError(try parent.logits(of: set), try model.logits(of: set))
    #expect(error > 0 && error < 0.05, "\(error)")
    #expect(try Perplexity(of: model, on: set).value.isFinite)
  }

  @Test(arguments: ["llama", "qwen2", "qwen3"])
  func prunedQuantizedAndConvertedToGGUFStaysTheSameModel(_ family: String) throws {
    let layers = try Pico.checkpoint(family).hyperparameters.layerCount
    let plan = PruningPlan(parentLayerCount: layers, keptLayers: [0, layers - 1], criterion: .explicit)
    let model = try compressed(family, pruning: plan)
    let recipe = Recipe(parent: model, output: .gguf, elementFormat: .f32)
    try recipe.applied(to: model).write(to: folder.file("model.gguf"), as: .gguf)
    let converted = try Checkpoint(path: folder.file("model.gguf"))
    #expect(converted.weights.values.allSatisfy { $0.format == .f32 && $0.scale == nil })
    let set = try Pico.tokens(family)
    #expect(normalizedError(try model.logits(of: set), try converted.logits(of: set)) < 1e-10)
    let report = try Verifier().verify(converted, against: model, on: set)
    #expect(report.passes)
  }

  @Test func refusesNonFiniteWeightsAndLeavesNothingBehind() throws {
    let name = "model.layers.1.mlp.down_proj.weight"
    let model = try Pico.checkpoint("llama").changing(name) { $0[5] = .nan }
    let recipe = Recipe(parent: model, output: .huggingFace, quantization: QuantizationScheme())
    let error = #expect(throws: CompressionError.self) {
      try recipe.applied(to: model).write(to: folder.file("bad"), as: .huggingFace)
    }
    #expect(error?.message.contains(name) == true)
    #expect(try FileSystem.names(in: folder.path) == [])
  }
}
