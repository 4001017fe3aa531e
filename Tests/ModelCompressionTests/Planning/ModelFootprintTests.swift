import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import TensorFormats
import Testing

@Suite struct ModelFootprintTests {
  static let outputs = [
    OutputFormat(.huggingFace, elementFormat: .f32), OutputFormat(.huggingFace, elementFormat: .bf16),
    OutputFormat(.huggingFace, elementFormat: .f16), OutputFormat(.huggingFace, elementFormat: nil),
    OutputFormat(.huggingFace, quantization: QuantizationScheme()),
    OutputFormat(.huggingFace, elementFormat: nil, quantization: QuantizationScheme(kind: .fp8Block)),
    OutputFormat(.huggingFace, quantization: QuantizationScheme(kind: .fp8Static, quantizesKeyValueCache: true)),
    OutputFormat(.gguf, elementFormat: .f32), OutputFormat(.gguf, elementFormat: .bf16),
    OutputFormat(.gguf, elementFormat: .q8_0),
  ]

  private static func cut(_ model: Checkpoint) throws -> PruningPlan {
    let sizes = model.hyperparameters
    var plan = PruningPlan(
      parentLayerCount: sizes.layerCount, keptLayers: Array(0..<sizes.layerCount - 1), criterion: .explicit)
    // Heads stay, since the GGUF of some families fixes their width together.
    for layer in plan.keptLayers {
      plan.keptIndices[ScopedAxis(.intermediate, layer: layer)] = Array(0..<sizes.intermediateSize - 8)
    }
    return plan
  }

  /// What is counted is what lies in the file, for the parent and for a cut, whichever way it is counted.
  @Test(arguments: Pico.families) func countsTheBytesThatAreWritten(_ family: String) throws {
    let model = try Pico.checkpoint(family)
    let pruned = try model.pruned(by: Self.cut(model))
    for output in Self.outputs {
      let footprint = FootprintModel(of: model, as: output, context: 100)
      for source in [model, pruned] {
        let result = try output.outline(of: source)
        guard output.fileFormat != .gguf || result.ggufObstacles.isEmpty else { continue }
        let folder = TemporaryFolder()
        let path = folder.file(output.fileFormat == .gguf ? "model.gguf" : "model")
        try result.write(to: path, as: output.fileFormat)
        let written = try Inspection(path: path)
        let exact = try ModelFootprint(ofWritten: result, as: output, context: 100)
        #expect(exact.weightBytes == written.byteCount, "\(family) as \(output)")
        #expect(exact.parameters == source.parameterCount)
        #expect(try footprint(source.hyperparameters) == exact, "\(family) as \(output)")
      }
    }
  }

  @Test func scaledCodesOfTheSourceAreCounted() throws {
    let folder = TemporaryFolder()
    let scaled = try Pico.checkpoint("llama").quantized(by: QuantizationScheme())
    try scaled.write(to: folder.file("fp8"), as: .huggingFace)
    let model = try Checkpoint(path: folder.file("fp8"))
    let pruned = try model.pruned(by: Self.cut(model))
    let output = OutputFormat(.huggingFace, elementFormat: nil)
    try pruned.write(to: folder.file("cut"), as: .huggingFace)
    let bytes = try Inspection(path: folder.file("cut")).byteCount
    #expect(try FootprintModel(of: model, as: output, context: 1)(pruned.hyperparameters).weightBytes == bytes)
  }

  /// Llama pico: 3 layers, hidden 32, ffn 96, 4 query heads and 2 key-value heads of 8, vocabulary 104, tied.
  @Test func countsOperationsAndCacheOfLlama() throws {
    let model = try Pico.checkpoint("llama")
    let output = OutputFormat(.huggingFace, elementFormat: .bf16)
    let footprint = try ModelFootprint(ofWritten: output.outline(of: model), as: output, context: 10)
    let projections = 32 * 32 + 2 * (16 * 32) + 32 * 32 + 3 * (96 * 32)
    let linear = 2 * (3 * projections + 104 * 32)
    #expect(footprint.decodeOperations == linear + 3 * 4 * (4 * 8) * 10)
    // Of ten tokens the first sees one, the last ten: 5.5 on average.
    #expect(footprint.prefillOperations == linear + 3 * 2 * (4 * 8) * 11)
    #expect(footprint.cacheBytesPerToken == 3 * 2 * 16 * 2)
    #expect(footprint.cacheBytes == 10 * footprint.cacheBytesPerToken)
    // A tied table is read whole, as the head.
    #expect(footprint.decodeBytes == footprint.weightBytes + footprint.cacheBytes)
    #expect(footprint.memoryBytes == footprint.weightBytes + footprint.cacheBytes)
  }

  /// Gemma 2 pico: layers 0 and 2 see eight tokens.
  @Test(arguments: [1, 8, 9, 50]) func slidingLayersKeepAndSeeTheirWindow(_ context: Int) throws {
    let model = try Pico.checkpoint("gemma2")
    let output = OutputFormat(.huggingFace, elementFormat: .bf16)
    func footprint(_ context: Int) throws -> ModelFootprint {
      try ModelFootprint(ofWritten: output.outline(of: model), as: output, context: context)
    }
    let window = min(context, 8)
    let row = 2 * 2 * 10 * 2
    #expect(try footprint(context).cacheBytes == row * (2 * window + 2 * context))
    let seen = (1...context).reduce(0) { $0 + 2 * min($1, 8) + 2 * $1 }
    // Of every token, what it sees more than one token alone.
    let attention = Double(4 * 4 * 10 * seen) / Double(context)
    let linear = try footprint(1).prefillOperations - 4 * 4 * 10 * 4
    #expect(try footprint(context).prefillOperations == linear + Int(attention))
  }

  @Test func anUntiedTableIsReadByTheRow() throws {
    let model = try Pico.checkpoint("qwen2")
    let output = OutputFormat(.huggingFace, elementFormat: .bf16)
    let footprint = try ModelFootprint(ofWritten: output.outline(of: model), as: output, context: 1)
    #expect(footprint.decodeBytes == footprint.weightBytes - 103 * 48 * 2 + footprint.cacheBytes)
  }
}
