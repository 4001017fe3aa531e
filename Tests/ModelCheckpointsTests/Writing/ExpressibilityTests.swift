import ModelArchitectures
import ModelCheckpoints
import ModelTokenizers
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

@Suite struct ExpressibilityTests {
  private func obstacles(_ pico: String, _ edit: (inout Hyperparameters) -> Void = { _ in }) throws -> [String] {
    var model = try Checkpoint(path: Fixture.path("models/\(pico)-pico"))
    edit(&model.hyperparameters)
    return model.ggufObstacles
  }

  private func expectOne(
    _ pico: String, naming word: String, location: SourceLocation = #_sourceLocation,
    _ edit: (inout Hyperparameters) -> Void = { _ in }
  ) throws {
    let found = try obstacles(pico, edit)
    #expect(found.count == 1 && found[0].contains(word), "\(found)", sourceLocation: location)
  }

  @Test func whatTheRuntimeComputesAsTheModelDoesIsNoObstacle() throws {
    for pico in ["llama", "llama-rope3", "qwen2", "qwen3", "phi"] { #expect(try obstacles(pico) == []) }
    #expect(try obstacles("gemma2") { $0.queryScalar = 10 } == [])
    #expect(try obstacles("nemotron") { $0.queryHeadCount = 5 } == [])
    // A window that no layer uses.
    #expect(try obstacles("qwen2") { $0.slidingWindow = 16 } == [])
  }

  @Test func whatTheRuntimeWouldComputeDifferentlyIsNamed() throws {
    try expectOne("gemma2", naming: "query scalar 24.0")
    try expectOne("llama", naming: "activation geluTanh") { $0.activation = .geluTanh }
    try expectOne("phi", naming: "activation gelu:") { $0.activation = .gelu }
    try expectOne("nemotron", naming: "6 query heads of 8: 'nemotron' wants them to be 40 wide")
    try expectOne("qwen2", naming: "48 wide") { $0.queryHeadCount = 4 }
    try expectOne("phi", naming: "40 wide") { $0.headDimension = 24 }
    try expectOne("qwen3", naming: "attention biases") { $0.hasAttentionBias = true }
    try expectOne("qwen2", naming: "a sliding window of 16") {
      ($0.slidingWindow, $0.layerKinds) = (16, [.full, .sliding, .sliding])
    }
    try expectOne("gemma2", naming: "the order of sliding and full layers") {
      ($0.queryScalar, $0.layerKinds) = (10, [.full, .full, .sliding, .full])
    }
    try expectOne("gemma2", naming: "attn_logit_softcapping") { ($0.queryScalar, $0.attentionSoftcap) = (10, nil) }
    try expectOne("gemma2", naming: "a head of its own") { ($0.queryScalar, $0.tiesHead) = (10, false) }
    try expectOne("nemotron", naming: "a head that is the embedding") { ($0.queryHeadCount, $0.tiesHead) = (5, true) }
    try expectOne("gemma2", naming: "final_logit_softcapping") { ($0.queryScalar, $0.logitSoftcap) = (10, nil) }
    for pico in ["qwen2", "gemma2", "nemotron", "phi"] {
      try expectOne(pico, naming: "Llama 3 rotary scaling") {
        if pico == "gemma2" { $0.queryScalar = 10 }
        if pico == "nemotron" { $0.queryHeadCount = 5 }
        $0.rotary.scaling = .llama3(
          factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 32)
      }
    }
  }

  @Test func anOddLayerTakenFromGemma2BreaksItsPattern() throws {
    var model = try Checkpoint(path: Fixture.path("models/gemma2-pico"))
    model.hyperparameters.queryScalar = 10
    #expect(try model.keeping(layers: [0, 1]).ggufObstacles == [])
    #expect(try model.keeping(layers: [0, 2, 3]).ggufObstacles.count == 1)
  }

  @Test func anObstacleStopsTheWriting() throws {
    let work = TemporaryFolder()
    let model = try Checkpoint(path: Fixture.path("models/gemma2-pico"))
    expectError(.notExpressible, naming: "query scalar") { try model.write(to: work.file("m.gguf"), as: .gguf) }
    #expect(try work.names() == [])
  }

  @Test func whatAFileFormatCannotHoldIsToBeConvertedFirst() throws {
    let work = TemporaryFolder()
    let blocks = try Checkpoint(path: Fixture.path("models/llama-pico")).converted(to: .q8_0, for: .gguf)
    #expect(blocks.fits(.gguf) && !blocks.fits(.huggingFace))
    expectError(.notExpressible, naming: "Q8_0", "safetensors") {
      try blocks.write(to: work.file("hf"), as: .huggingFace)
    }
    var model = try ModelFolder("llama")
    let name = "model.layers.0.mlp.up_proj.weight"
    model.tensors[name] = try model.tensors[name]!.encoded(as: .f8E4M3)
    model.set(name + "_scale", [0.5], shape: [1])
    let codes = try model.opened()
    #expect(codes.fits(.huggingFace) && !codes.fits(.gguf))
    expectError(.notExpressible, naming: "F8_E4M3", "GGUF") { try codes.write(to: work.file("m.gguf"), as: .gguf) }
    #expect(try work.names() == [])
  }

  @Test(arguments: ["tokenizer.model", "spiece.model", "vocab.json", "merges.txt", "vocab.txt"])
  func aTokenizerThatIsNotReadIsNotLeftOut(file: String) throws {
    let work = TemporaryFolder()
    var folder = try ModelFolder("llama")
    folder.files[file] = Array("{}".utf8)
    let model = try folder.opened()
    expectError(.notExpressible, naming: "'\(file)'") { try model.write(to: work.file("m.gguf"), as: .gguf) }
    #expect(try work.names() == [])
  }

  @Test func everyTokenHasARow() throws {
    let work = TemporaryFolder()
    let rows = try ModelFolder("llama").config["vocab_size"]!.int!
    var folder = try ModelFolder("llama")
    for file in ["tokenizer.json", "tokenizer_config.json"] {
      folder.files[file] = try FileSystem.read(Fixture.path("tokenizers/smollm/\(file)"))
    }
    let source = try folder.written()
    let model = try Checkpoint(path: source.path)
    let count = try #require(try model.tokenizerDescription()).tokens.count
    try #require(count > rows)
    expectError(.notExpressible, naming: "\(count) tokens", "\(rows) rows") {
      try model.write(to: work.file("m.gguf"), as: .gguf)
    }
  }

  @Test func llamaCppHasNoMatricesInF64() throws {
    let work = TemporaryFolder()
    var folder = try ModelFolder("llama")
    try folder.encode(as: .f64)
    let model = try folder.opened()
    #expect(model.fits(.huggingFace) && !model.fits(.gguf))
    #expect(model.defaultFormat(for: .gguf) == .f32 && model.defaultFormat(for: .huggingFace) == nil)
    expectError(.notExpressible, naming: "F64") { try model.write(to: work.file("m.gguf"), as: .gguf) }
  }
}
