import Foundation
import ModelArchitectures
import ModelTokenizers
import MTConvTestSupport
import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@testable import ModelCheckpoints

@Suite struct OpeningTests {
  private static let up = "model.layers.1.mlp.up_proj.weight"

  @Test(arguments: ModelFolder.picos) func opensWithEveryWeightInItsPlace(pico: String) throws {
    let path = Fixture.path("models/\(pico)-pico")
    let model = try Checkpoint(path: path)
    let set = try SafetensorsFileSet(path: path)
    #expect(model.warnings.isEmpty)
    #expect(model.weights.count == set.count)
    for (key, weight) in model.weights {
      let member = try set.member(model.huggingFaceName(of: key))
      #expect(try weight.values.bytes() == member.withBytes { Array($0) })
    }
  }

  @Test func aMissingTensorIsNamed() throws {
    var folder = try ModelFolder("llama")
    folder.tensors[Self.up] = nil
    let written = try folder.written()
    expectError(.missingTensor, naming: Self.up) { _ = try Checkpoint(path: written.path) }
  }

  @Test func anUnknownTensorIsNamed() throws {
    var folder = try ModelFolder("llama")
    folder.set("model.layers.3.mlp.up_proj.weight", [1, 2], shape: [1, 2])
    let written = try folder.written()
    expectError(.unknownTensor, naming: "model.layers.3.mlp.up_proj.weight", "[1, 2]") {
      _ = try Checkpoint(path: written.path)
    }
  }

  @Test func aWrongShapeNamesBothShapes() throws {
    var folder = try ModelFolder("llama")
    folder.set(Self.up, [1, 2, 3, 4], shape: [2, 2])
    let written = try folder.written()
    expectError(.wrongShape, naming: Self.up, "[2, 2]", "[96, 32]") { _ = try Checkpoint(path: written.path) }
  }

  @Test func buffersOfOldCheckpointsArePassedOver() throws {
    var folder = try ModelFolder("llama")
    folder.set("model.layers.0.self_attn.rotary_emb.inv_freq", [1, 2, 3, 4], shape: [4])
    #expect(try folder.opened().warnings.isEmpty)
  }

  @Test func aStoredHeadIsPassedOverWhenEmbeddingsAreTied() throws {
    var folder = try ModelFolder("llama")
    folder.tensors["lm_head.weight"] = folder.tensors["model.embed_tokens.weight"]
    let model = try folder.opened()
    #expect(model.warnings.count == 1 && model.warnings[0].contains("lm_head.weight"))
    #expect(model.weights[WeightKey(.head)] == nil)
  }

  @Test func anElementFormatWithoutADecoderIsNamed() throws {
    var folder = try ModelFolder("llama")
    let bytes = [UInt8](repeating: 0, count: 96 * 32)
    folder.tensors[Self.up] = LazyTensor(
      format: .f8E4M3FNUZ, shape: [96, 32], source: MemoryTensor(bytes: bytes, rowByteCount: 32))
    let written = try folder.written()
    expectError(.wrongFormat, naming: Self.up, "F8_E4M3FNUZ") { _ = try Checkpoint(path: written.path) }
  }

  @Test func anFP8WeightNeedsItsScale() throws {
    var folder = try ModelFolder("llama")
    folder.tensors[Self.up] = try folder.tensors[Self.up]!.encoded(as: .f8E4M3)
    let bare = try folder.written()
    expectError(.missingTensor, naming: Self.up + "_scale") { _ = try Checkpoint(path: bare.path) }
    folder.set(Self.up + "_scale", [1, 2, 3], shape: [3, 1])
    let wrong = try folder.written()
    expectError(.wrongShape, naming: Self.up + "_scale", "[3, 1]") { _ = try Checkpoint(path: wrong.path) }
  }

  @Test(arguments: [[96, 1], [96], [1], []]) func anFP8WeightIsItsCodesTimesItsScales(shape: [Int]) throws {
    var folder = try ModelFolder("llama")
    let codes = try folder.tensors[Self.up]!.encoded(as: .f8E4M3)
    let scales = (0..<shape.reduce(1, *)).map { Float($0 + 1) / 4 }
    folder.tensors[Self.up] = codes
    folder.set(Self.up + "_scale", scales, shape: shape)
    let model = try folder.opened()
    let weight = try #require(model.weights[WeightKey(.up, layer: 1)])
    let values = try [Float](unsafeUninitializedCapacity: 20 * 32) { buffer, count in
      try weight.decode(rows: 7..<27, into: UnsafeMutableBufferPointer(rebasing: buffer[..<640]))
      count = 640
    }
    let expected = try codes.decoded().enumerated().map { $1 * scales[scales.count == 1 ? 0 : $0 / 32] }
    #expect(values == Array(expected[224..<864]))
  }

  @Test(arguments: [
    (#"{"quant_method": "gptq"}"#, "'gptq'"),
    (#"{"quant_method": "modelopt", "quant_algo": "NVFP4"}"#, "'NVFP4'"),
    (
      #"{"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"type": "int", "strategy": "group"}}}}"#,
      "'group'"
    ),
  ]) func quantizationThatIsNotSupportedIsNamed(config: String, word: String) throws {
    var folder = try ModelFolder("llama")
    folder.config["quantization_config"] = try JSON(parsing: config)
    let written = try folder.written()
    expectError(.unsupportedFeature, naming: word) { _ = try Checkpoint(path: written.path) }
  }

  @Test func picklesAreRefusedByName() throws {
    for name in ["pytorch_model.bin", "consolidated.pt", "model.pth", "x.pkl"] {
      expectError(.refusedFile, naming: name) { _ = try Checkpoint(path: "/nowhere/\(name)") }
      expectError(.refusedFile, naming: name) { _ = try Inspection(path: "/nowhere/\(name)") }
    }
    let folder = try ModelFolder("llama").written()
    try FileManager.default.moveItem(
      atPath: folder.file("model.safetensors"), toPath: folder.file("pytorch_model.bin"))
    expectError(.refusedFile, naming: "pytorch_model.bin") { _ = try Checkpoint(path: folder.path) }
    expectError(.refusedFile, naming: "pytorch_model.bin") { _ = try Inspection(path: folder.path) }
  }

  @Test func whatIsNoModelIsSaidSo() throws {
    expectError(.notFound, naming: "/nowhere/model") { _ = try Checkpoint(path: "/nowhere/model") }
    let folder = TemporaryFolder()
    expectError(.notFound, naming: "config.json") { _ = try Checkpoint(path: folder.path) }
    try folder.write(Array("{}".utf8), to: "config.json")
    expectError(.invalidConfig, naming: "'model_type'") { _ = try Checkpoint(path: folder.path) }
  }

  @Test func linksOfTheHuggingFaceCacheAreFollowed() throws {
    let files = FileManager.default
    let cache = try ModelFolder("llama").written()
    try files.createDirectory(atPath: cache.file("blobs"), withIntermediateDirectories: true)
    try files.createDirectory(atPath: cache.file("snapshots"), withIntermediateDirectories: true)
    for (index, name) in ["config.json", "model.safetensors"].enumerated() {
      try files.moveItem(atPath: cache.file(name), toPath: cache.file("blobs/\(index)"))
      try files.createSymbolicLink(atPath: cache.file("snapshots/\(name)"), withDestinationPath: "../blobs/\(index)")
    }
    #expect(try Checkpoint(path: cache.file("snapshots")).parameterCount > 0)
    #expect(try Inspection(path: cache.file("snapshots")).family == "llama")
  }

  @Test func aFileIsOpenedItselfAndAShardWithItsSiblings() throws {
    let folder = try ModelFolder("llama").written()
    var other = try ModelFolder("llama")
    let ones = [Float](repeating: 1, count: 32)
    other.set("model.norm.weight", ones, shape: [32])
    try other.writeWeights(Array(other.tensors.keys), to: folder.file("other.safetensors"))
    let norm = WeightKey(.finalNorm)
    #expect(try Checkpoint(path: folder.file("other.safetensors")).weights[norm]?.values.decoded() == ones)
    #expect(try Checkpoint(path: folder.path).weights[norm]?.values.decoded() != ones)
    let sharded = Fixture.path("models/llama-pico-bf16-sharded")
    let whole = try Checkpoint(path: sharded)
    for name in ["model-00002-of-00004.safetensors", "model.safetensors.index.json"] {
      #expect(try Checkpoint(path: "\(sharded)/\(name)").weights.count == whole.weights.count)
    }
  }

  @Test func shardsHoldWhatOneFileHolds() throws {
    let model = try Checkpoint(path: Fixture.path("models/llama-pico-bf16-sharded"))
    let single = try Checkpoint(path: Fixture.path("models/llama-pico"))
    #expect(Array(model.weights.keys) == Array(single.weights.keys))
    for (key, weight) in model.weights {
      #expect(weight.format == .bf16)
      #expect(try weight.values.bytes() == single.weights[key]!.values.encoded(as: .bf16).bytes())
    }
  }

  @Test func aMissingShardIsNamed() throws {
    let folder = TemporaryFolder()
    let source = Fixture.path("models/llama-pico-bf16-sharded")
    for name in try FileSystem.names(in: source) where !name.hasPrefix("model-00003") {
      try folder.write(FileSystem.read("\(source)/\(name)"), to: name)
    }
    let error = #expect(throws: SafetensorsError.self) { _ = try Checkpoint(path: folder.path) }
    #expect("\(error!)".contains("model-00003-of-00004.safetensors"))
  }

  /// transformers: "both are present with different values, so we will NOT tie them".
  @Test func aHeadOfItsOwnIsUsedWhateverTheConfigurationSays() throws {
    var folder = try ModelFolder("qwen3")
    #expect(folder.config["tie_word_embeddings"] == true)
    let embedding = try #require(folder.tensors["model.embed_tokens.weight"])
    folder.tensors["lm_head.weight"] = embedding
    let same = try folder.written()
    let tied = try Checkpoint(path: same.path)
    #expect(tied.hyperparameters.tiesHead && tied.warnings.count == 1)
    var values = try embedding.decoded()
    values[7] += 1
    folder.set("lm_head.weight", values, shape: embedding.shape)
    let other = try folder.written()
    let model = try Checkpoint(path: other.path)
    #expect(!model.hyperparameters.tiesHead && model.config["tie_word_embeddings"] == false)
    #expect(try model.weights[WeightKey(.head)]?.values.decoded() == values)
    #expect(model.warnings.contains { $0.contains("other values") })
  }
}
