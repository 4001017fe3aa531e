import OrderedCollections
import Foundation
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

  private func assertEqualBytes(_ a: Checkpoint, _ b: Checkpoint) throws {
    #expect(a.weights.keys == b.weights.keys)
    for (key, weight) in a.weights {
      let other = try #require(b.weights[key])
      #expect(try weight.format == other.format && weight.values.bytes() == other.values.bytes(), "\(key)")
      #expect(try weight.scale?.values.bytes() == other.scale?.values.bytes(), "\(key)")
    }
  }

  @Test(arguments: Pico.families) func quantizingAgainChangesNothing(_ family: String) throws {
    let model = try compressed(family)
    let again = Recipe(
      parent: model, output: .huggingFace, elementFormat: .bf16, quantization: QuantizationScheme())
    try assertEqualBytes(model, again.applied(to: model))
  }

  @Test(arguments: Pico.families) func layersOfAnFP8ModelAreDroppedWithTheirScales(_ family: String) throws {
    let model = try compressed(family)
    let layers = model.hyperparameters.layerCount
    let plan = PruningPlan(parentLayerCount: layers, keptLayers: [0, layers - 1], criterion: .explicit)
    let pruned = try Recipe(parent: model, output: .huggingFace, pruning: plan).applied(to: model)
    try pruned.write(to: folder.file("pruned"), as: .huggingFace)
    let written = try Checkpoint(path: folder.file("pruned"))
    #expect(written.mainFormat == .f8E4M3)
    #expect(written.config["quantization_config"] == model.config["quantization_config"])
    try FileManager.default.removeItem(atPath: folder.file("fp8"))
    try assertEqualBytes(written, compressed(family, pruning: plan))
  }

  @Test func channelsOfAnFP8ModelAreCutWithTheirScales() throws {
    let model = try compressed("llama")
    var plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 1, 2], criterion: .explicit)
    let kept = Array(stride(from: 1, to: 96, by: 3))
    for layer in 0..<3 { plan.keptIndices[ScopedAxis(.intermediate, layer: layer)] = kept }
    let cut = try model.pruned(by: plan)
    #expect(cut.hyperparameters.intermediateSize == 32)
    let (up, down) = ("model.layers.1.mlp.up_proj.weight", "model.layers.1.mlp.down_proj.weight")
    let (wholeUp, wholeDown) = (try model.values(named: up), try model.values(named: down))
    #expect(try cut.values(named: up) == kept.flatMap { Array(wholeUp[$0 * 32..<($0 + 1) * 32]) })
    #expect(try cut.values(named: down) == (0..<32).flatMap { row in kept.map { wholeDown[row * 96 + $0] } })
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
