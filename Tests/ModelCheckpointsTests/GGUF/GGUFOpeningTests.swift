import GGUFFormat
import ModelArchitectures
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCheckpoints

@Suite struct GGUFOpeningTests {
  /// A GGUF file as gguf-py writes it: split, Q8_0.
  static let split = Fixture.path("models/llama-pico-q8_0/model-00001-of-00002.gguf")

  @Test(arguments: [1, 2]) func aSplitFileOpensByAnyOfItsParts(part: Int) throws {
    let path = Fixture.path("models/llama-pico-q8_0/model-0000\(part)-of-00002.gguf")
    let model = try Checkpoint(path: path)
    let values = try JSON(parsing: FileSystem.read(Fixture.path("models/llama-pico-q8_0/values.json")))
    #expect(model.weights.count == values.object?.count)
    for (key, weight) in model.weights {
      let name = model.huggingFaceName(of: key)
      #expect(try checksum(weight.values.decoded()) == values[name]?.string, "\(name)")
    }
  }

  @Test func itsConfigurationSaysWhatTheMetadataSays() throws {
    let model = try Checkpoint(path: Self.split)
    let original = try Checkpoint(path: Fixture.path("models/llama-pico"))
    #expect(model.hyperparameters == original.hyperparameters)
    #expect(try ConfigReader(model.config).hyperparameters() == model.hyperparameters)
    #expect(model.config["head_dim"] == 8)
    #expect(model.config["rms_norm_eps"]?.serialized() == "3e-05")
    #expect(model.config["bos_token_id"] == 1 && model.config["eos_token_id"] == 2)
    #expect(model.generationConfig?["eos_token_id"] == 2)
  }

  /// A GGUF file of the llama pico with changes.
  private func edited(
    _ metadata: (inout OrderedDictionary<String, GGUFValue>) -> Void = { _ in },
    tensors edit: (inout OrderedDictionary<String, LazyTensor>) -> Void = { _ in }
  ) throws -> (folder: TemporaryFolder, path: String) {
    let files = try GGUFFileSet(path: Self.split)
    var keys = files.metadata
    metadata(&keys)
    var tensors: OrderedDictionary<String, LazyTensor> = [:]
    for entry in files.tensors { tensors[entry.name] = try files.tensor(entry) }
    edit(&tensors)
    let folder = TemporaryFolder()
    let writer = try GGUFWriter(
      metadata: keys, tensors: tensors.map { TensorInfo(name: $0, format: $1.format, shape: $1.shape) })
    let output = try OutputFile(path: folder.file("m.gguf"))
    try writer.write(to: output) { info, sink in try tensors[info.name]!.bytes().withUnsafeBytes { try sink($0) } }
    try output.commit(durable: false)
    return (folder, folder.file("m.gguf"))
  }

  private func expectRefusal(
    _ code: CheckpointError.Code, naming word: String,
    _ metadata: (inout OrderedDictionary<String, GGUFValue>) -> Void = { _ in },
    tensors edit: (inout OrderedDictionary<String, LazyTensor>) -> Void = { _ in },
    location: SourceLocation = #_sourceLocation
  ) throws {
    let file = try edited(metadata, tensors: edit)
    expectError(code, naming: word, location: location) { _ = try Checkpoint(path: file.path) }
  }

  @Test func metadataThatMakesNoModelIsRefusedByKey() throws {
    try expectRefusal(.unsupportedFamily, naming: "'rwkv7'") { $0["general.architecture"] = GGUFValue("rwkv7") }
    try expectRefusal(.invalidConfig, naming: "'general.architecture'") { $0["general.architecture"] = nil }
    try expectRefusal(.invalidConfig, naming: "'llama.embedding_length'") { $0["llama.embedding_length"] = nil }
    try expectRefusal(.invalidConfig, naming: "'llama.block_count'") { $0["llama.block_count"] = .uint64(.max) }
    try expectRefusal(.invalidConfig, naming: "'llama.block_count'") { $0["llama.block_count"] = .int64(.max) }
    try expectRefusal(.invalidConfig, naming: "'llama.block_count'") { $0["llama.block_count"] = GGUFValue("three") }
    try expectRefusal(.invalidConfig, naming: "'llama.attention.key_length'") {
      $0["llama.attention.key_length"] = .int64(.max)
    }
    try expectRefusal(.invalidConfig, naming: "'llama.context_length'") { $0["llama.context_length"] = .int32(-1) }
    try expectRefusal(.invalidConfig, naming: "'llama.rope.freq_base'") { $0["llama.rope.freq_base"] = .float32(-1) }
    try expectRefusal(.invalidConfig, naming: "'llama.rope.freq_base'") { $0["llama.rope.freq_base"] = .float32(.nan) }
    try expectRefusal(.invalidConfig, naming: "rotated") { $0["llama.rope.dimension_count"] = .uint32(7) }
    try expectRefusal(.unsupportedFeature, naming: "'yarn'") { $0["llama.rope.scaling.type"] = GGUFValue("yarn") }
    try expectRefusal(.unsupportedFeature, naming: "'llama.expert_count'") { $0["llama.expert_count"] = .uint32(8) }
    try expectRefusal(.unsupportedFeature, naming: "value heads") { $0["llama.attention.value_length"] = .uint32(4) }
    try expectRefusal(.unsupportedFeature, naming: "differs by layer") {
      $0["llama.feed_forward_length"] = GGUFValue([96, 96, 64] as [Int32])
    }
  }

  @Test func widthsThatAgreeInAllLayersAreOneWidth() throws {
    let file = try edited({ $0["llama.feed_forward_length"] = GGUFValue([96, 96, 96] as [Int32]) })
    #expect(try Checkpoint(path: file.path).hyperparameters.intermediateSize == 96)
  }

  @Test func tensorsThatDoNotFitAreNamed() throws {
    try expectRefusal(.missingTensor, naming: "'blk.1.ffn_up.weight'", tensors: { $0["blk.1.ffn_up.weight"] = nil })
    try expectRefusal(
      .unknownTensor, naming: "'blk.9.x'", tensors: { $0["blk.9.x"] = LazyTensor([1], shape: [1]) })
    try expectRefusal(
      .wrongShape, naming: "'output_norm.weight'", tensors: { $0["output_norm.weight"] = LazyTensor([1], shape: [1]) })
    try expectRefusal(
      .unsupportedFeature, naming: "'rope_freqs.weight'",
      tensors: { $0["rope_freqs.weight"] = LazyTensor([1, 2, 1, 2], shape: [4]) })
  }

  @Test func rotaryFactorsBecomeAScaling() throws {
    let scaling = RotaryScaling.llama3(
      factor: 6, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 32)
    let table = Rotary(base: 7000, dimension: 8, scaling: scaling).frequencyDivisors.map(Float.init)
    let file = try edited(tensors: { $0["rope_freqs.weight"] = LazyTensor(table, shape: [4]) })
    let model = try Checkpoint(path: file.path)
    #expect(model.hyperparameters.rotary.frequencyDivisors.map(Float.init) == table)
    #expect(model.config["rope_scaling"]?["factor"] == 6.0)
  }

  @Test func aFactorWithoutATypeScalesLinearly() throws {
    func scaling(_ keys: [String: GGUFValue]) throws -> RotaryScaling {
      let file = try edited({ metadata in for (key, value) in keys { metadata["llama.rope." + key] = value } })
      return try Checkpoint(path: file.path).hyperparameters.rotary.scaling
    }
    let four = GGUFValue.float32(4)
    #expect(try scaling(["scaling.factor": four]) == .linear(factor: 4))
    #expect(try scaling(["scale_linear": four]) == .linear(factor: 4))
    #expect(try scaling(["scale_linear": .float32(2), "scaling.factor": four]) == .linear(factor: 4))
    #expect(try scaling(["scaling.type": GGUFValue("linear"), "scale_linear": four]) == .linear(factor: 4))
    #expect(try scaling(["scaling.type": GGUFValue("none"), "scaling.factor": four]) == .none)
    for factor: Float in [0, 1] { #expect(try scaling(["scaling.factor": .float32(factor)]) == .none) }
  }

  @Test func aBiasInBlocksIsMovedElementByElement() throws {
    let bias = (0..<32).map { Float($0) / 31 }
    let half = (0..<16).map { Float($0) / 15 }
    let file = try edited(tensors: { tensors in
      for layer in 0..<3 {
        tensors["blk.\(layer).attn_q.bias"] = try! LazyTensor(bias, shape: [32]).encoded(as: .q8_0)
        for name in ["k", "v"] { tensors["blk.\(layer).attn_\(name).bias"] = LazyTensor(half, shape: [16]) }
        tensors["blk.\(layer).attn_output.bias"] = LazyTensor(bias, shape: [32])
      }
    })
    let model = try Checkpoint(path: file.path)
    let stored = try LazyTensor(bias, shape: [32]).encoded(as: .q8_0).decoded()
    let order = RotaryRowOrder.toHuggingFace(heads: 4, headDimension: 8)
    #expect(try model.weights[WeightKey(.query, .bias, layer: 0)]?.values.decoded() == order.map { stored[$0] })
    let halfOrder = RotaryRowOrder.toHuggingFace(heads: 2, headDimension: 8)
    #expect(try model.weights[WeightKey(.key, .bias, layer: 0)]?.values.decoded() == halfOrder.map { half[$0] })
  }
}
