import GGUFFormat
import ModelArchitectures
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCheckpoints

/// Hugging Face to GGUF and back gives the same files.
@Suite struct RoundTripTests {
  private static var quick: WriteOptions {
    var options = WriteOptions()
    options.isDurable = false
    return options
  }

  /// A pico that GGUF can say, with a tokenizer.
  private func expressible(_ pico: String) throws -> ModelFolder {
    var folder = try ModelFolder(pico)
    try folder.fitToGGUF()
    try folder.addTokenizer()
    folder.files["generation_config.json"] = try FileSystem.read(
      Fixture.path("models/\(pico)-pico/generation_config.json"))
    folder.files["special_tokens_map.json"] = Array(#"{ "bos_token":"<s>" }"#.utf8)
    folder.files["chat_template.jinja"] = Array("{{ messages }}".utf8)
    return folder
  }

  private func expectSameFiles(_ a: TemporaryFolder, _ b: TemporaryFolder, at name: String) throws {
    let names = try a.names()
    #expect(try FileSystem.names(in: b.file(name)) == names)
    for file in names { #expect(try a.bytes(of: file) == b.bytes(of: "\(name)/\(file)"), "\(file)") }
  }

  @Test(arguments: ModelFolder.picos, [ElementFormat.f32, .bf16, .f16])
  func everyFileComesBackByteForByte(pico: String, format: ElementFormat) throws {
    var model = try expressible(pico)
    try model.encode(as: format)
    model.config["dtype"] = .string([ElementFormat.f32: "float32", .bf16: "bfloat16", .f16: "float16"][format]!)
    let source = try model.written()
    let work = TemporaryFolder()
    try Checkpoint(path: source.path).write(to: work.file("m.gguf"), as: .gguf, Self.quick)
    try Checkpoint(path: work.file("m.gguf")).converted(to: format, for: .huggingFace).write(
      to: work.file("back"), as: .huggingFace, Self.quick)
    try expectSameFiles(source, work, at: "back")
  }

  @Test(arguments: ModelFolder.picos) func theValuesInTheGGUFFileAreThoseOfTheReference(pico: String) throws {
    var model = try ModelFolder(pico)
    try model.fitToGGUF()
    let source = try model.written()
    let work = TemporaryFolder()
    try Checkpoint(path: source.path).write(to: work.file("m.gguf"), as: .gguf, Self.quick)
    let file = try GGUFFileSet(path: work.file("m.gguf"))
    let expected = try #require(oracle("gguf_names")[pico]?.object)
    #expect(file.tensors.count == expected.count + (pico == "llama-rope3" ? 1 : 0))
    for (name, row) in expected {
      let entry = try #require(file[row["gguf"]?.string ?? ""], "\(name)")
      let shape = row["shape"]?.array?.compactMap(\.int)
      if pico == "nemotron", name.contains("self_attn") { continue }  // fewer heads than the oracle has
      #expect(entry.info.shape == shape, "\(name)")
      #expect(try checksum(file.withBytes(of: entry) { Array($0) }) == row["checksum"]?.string, "\(name)")
    }
  }

  @Test func tinyNormsComeBackThoughOneSwallowsThem() throws {
    var model = try expressible("gemma2")
    let tiny = (0..<36).map { Float(bitPattern: UInt32($0 * 0x0010_0001)) }  // subnormals and other small ones
    model.set("model.norm.weight", [-0.0, 1e-20, -1e-9] + tiny.dropFirst(3), shape: [36])
    let source = try model.written()
    let work = TemporaryFolder()
    try Checkpoint(path: source.path).write(to: work.file("m.gguf"), as: .gguf, Self.quick)
    try Checkpoint(path: work.file("m.gguf")).write(to: work.file("back"), as: .huggingFace, Self.quick)
    try expectSameFiles(source, work, at: "back")
  }

  @Test func aStaleRecordDoesNotOverruleAnEditedTensor() throws {
    let stored = LazyTensor([1.5, 3, 1], shape: [3])
    let restored = LazyTensor(
      format: .f32, shape: [3], source: RestoredOffset(stored: stored, originals: [0.5, 1e-9, 1e-9]))
    #expect(try restored.decoded() == [0.5, 2, 1e-9])
  }

  @Test func aConfigurationThatContradictsTheMetadataIsNotBelieved() throws {
    let source = try expressible("llama").written()
    let work = TemporaryFolder()
    var model = try Checkpoint(path: source.path)
    model.config.object["rope_parameters"] = ["rope_type": "default", "rope_theta": 123.0]
    try model.write(to: work.file("m.gguf"), as: .gguf, Self.quick)
    let back = try Checkpoint(path: work.file("m.gguf"))
    #expect(back.hyperparameters.rotary.base == 7000)
    #expect(back.config["rope_theta"]?.double == 7000)
  }

  @Test func q8_0ValuesAreThoseOfGGUFPy() throws {
    let work = TemporaryFolder()
    let source = try Checkpoint(path: Fixture.path("models/llama-pico"))
    try source.converted(to: .q8_0, for: .gguf).write(to: work.file("m.gguf"), as: .gguf, Self.quick)
    let values = try JSON(parsing: FileSystem.read(Fixture.path("models/llama-pico-q8_0/values.json")))
    let model = try Checkpoint(path: work.file("m.gguf"))
    for (key, weight) in model.weights {
      let name = model.huggingFaceName(of: key)
      #expect(try checksum(weight.values.decoded()) == values[name]?.string, "\(name)")
      #expect(weight.format == (weight.shape.count == 1 ? .f32 : .q8_0))
    }
  }

  @Test func rowsThatFillNoBlocksBecomeF16() throws {
    let work = TemporaryFolder()
    try Checkpoint(path: Fixture.path("models/qwen3-pico")).converted(to: .q8_0, for: .gguf).write(
      to: work.file("m.gguf"), as: .gguf, Self.quick)
    let formats = Dictionary(grouping: try GGUFFileSet(path: work.file("m.gguf")).tensors, by: \.info.format)
    #expect(Set(formats.keys) == [.f16, .f32, .q8_0])
    #expect(formats[.f16]!.allSatisfy { $0.info.rowLength % 32 != 0 })
  }

  @Test(arguments: ["llama", "gemma2", "nemotron"]) func fromGGUFToGGUFNothingChanges(pico: String) throws {
    let source = try expressible(pico).written()
    let work = TemporaryFolder()
    try Checkpoint(path: source.path).write(to: work.file("a.gguf"), as: .gguf, Self.quick)
    try Checkpoint(path: work.file("a.gguf")).write(to: work.file("b.gguf"), as: .gguf, Self.quick)
    let (a, b) = (try GGUFFileSet(path: work.file("a.gguf")), try GGUFFileSet(path: work.file("b.gguf")))
    #expect(Set(a.metadata.keys) == Set(b.metadata.keys))
    for (key, value) in a.metadata { #expect(b.metadata[key] == value, "\(key)") }
    #expect(a.tensors.map(\.info) == b.tensors.map(\.info))
    for entry in a.tensors {
      #expect(
        try a.withBytes(of: entry) { Array($0) } == b.withBytes(of: b[entry.name]!) { Array($0) }, "\(entry.name)")
    }
  }

  @Test func foreignTokenizersPassFromGGUFToGGUF() throws {
    let work = TemporaryFolder()
    let source = try GGUFFileSet(path: GGUFOpeningTests.split)
    try Checkpoint(path: GGUFOpeningTests.split).write(to: work.file("m.gguf"), as: .gguf, Self.quick)
    let written = try GGUFFileSet(path: work.file("m.gguf"))
    for (key, value) in source.metadata where key.hasPrefix("tokenizer.") { #expect(written.metadata[key] == value) }
    #expect(written.metadata["general.name"] == source.metadata["general.name"])
    for entry in source.tensors {
      #expect(
        try source.withBytes(of: entry) { Array($0) } == written.withBytes(of: written[entry.name]!) { Array($0) })
    }
  }

  @Test func codesBecomeValuesAndTheirConfigurationGoes() throws {
    var model = try ModelFolder("llama")
    let name = "model.layers.0.mlp.up_proj.weight"
    model.tensors[name] = try model.tensors[name]!.encoded(as: .f8E4M3)
    model.set(name + "_scale", [0.5], shape: [1])
    model.config["quantization_config"] = [
      "quant_method": "compressed-tensors",
      "config_groups": ["group_0": ["weights": ["type": "float", "strategy": "tensor"]]],
    ]
    let source = try model.written()
    let work = TemporaryFolder()
    let checkpoint = try Checkpoint(path: source.path)
    try checkpoint.converted(to: .f32, for: .gguf).write(to: work.file("m.gguf"), as: .gguf, Self.quick)
    let back = try Checkpoint(path: work.file("m.gguf"))
    #expect(back.config["quantization_config"] == nil)
    let key = WeightKey(.up, layer: 0)
    #expect(try back.weights[key]?.values.decoded() == checkpoint.weights[key]?.plain.decoded())
    try checkpoint.write(to: work.file("kept"), as: .huggingFace, Self.quick)
    #expect(try work.bytes(of: "kept/model.safetensors") == source.bytes(of: "model.safetensors"))
    #expect(try work.bytes(of: "kept/config.json") == source.bytes(of: "config.json"))
    try checkpoint.converted(to: .f32, for: .huggingFace).write(to: work.file("plain"), as: .huggingFace, Self.quick)
    #expect(try Checkpoint(path: work.file("plain")).config["quantization_config"] == nil)
  }

  @Test func aModelBornAsGGUFOpensAsADirectory() throws {
    let work = TemporaryFolder()
    let born = try Checkpoint(path: GGUFOpeningTests.split)
    try born.converted(to: .bf16, for: .huggingFace).write(to: work.file("hf"), as: .huggingFace, Self.quick)
    let model = try Checkpoint(path: work.file("hf"))
    #expect(model.hyperparameters == born.hyperparameters)
    #expect(model.config["torch_dtype"] == "bfloat16")
    #expect(model.generationConfig != nil)
    #expect(model.weights[WeightKey(.up, layer: 0)]?.format == .bf16)
  }
}
