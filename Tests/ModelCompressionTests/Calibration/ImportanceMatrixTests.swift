import GGUFFormat
import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import OrderedCollections
import TensorFormats
import Testing

@Suite struct ImportanceMatrixTests {
  private func matrix(of family: String) throws -> (GGUFFile, StatisticsFile) {
    let folder = TemporaryFolder()
    let (model, set) = (try Pico.checkpoint(family), try Pico.tokens(family))
    let file = StatisticsFile(
      settings: try StatisticsFile.Settings(of: model, on: set),
      statistics: try ActivationStatistics(of: model, on: set))
    try ImportanceMatrix(file, of: model).write(to: folder.file("imatrix.gguf"))
    return (try GGUFFile(path: folder.file("imatrix.gguf")), file)
  }

  private func floats(_ file: GGUFFile, _ name: String) throws -> [Float] {
    let entry = try #require(file[name])
    return try file.withBytes(of: entry) { bytes in
      (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  @Test func isWrittenAsLlamaCppWritesIt() throws {
    let (file, statistics) = try matrix(of: "qwen2")
    #expect(file.metadata["general.type"] == GGUFValue("imatrix"))
    #expect(file.metadata["imatrix.datasets"] == GGUFValue(["tokens"]))
    #expect(file.metadata["imatrix.chunk_count"] == .uint32(2))
    #expect(file.metadata["imatrix.chunk_size"] == .uint32(24))
    let weights = ["attn_k", "attn_output", "attn_q", "attn_v", "ffn_down", "ffn_gate", "ffn_up"]
    let names = (0..<3).flatMap { layer in weights.map { "blk.\(layer).\($0).weight" } } + ["output.weight"]
    #expect(file.tensors.map(\.name) == names.flatMap { ["\($0).in_sum2", "\($0).counts", "\($0).in_sum"] })
    for name in names { #expect(try floats(file, name + ".counts") == [48]) }
    let down = statistics.statistics.layers[1][.feedForwardInner]!
    #expect(try floats(file, "blk.1.ffn_down.weight.in_sum2") == down.meanSquares.map { Float($0 * 48) })
    #expect(try floats(file, "blk.1.ffn_down.weight.in_sum") == down.means.map { Float($0 * 48) })
    let value = try floats(file, "blk.2.attn_v.weight.in_sum2")
    #expect(value == (try floats(file, "blk.2.attn_q.weight.in_sum2")))
    #expect(value.count == 48)
  }

  // Of phi attention and feed-forward read the same; the tied head of qwen3 is an embedding there.
  @Test(arguments: [("phi", 6 * 3 + 1), ("qwen3", 7 * 3), ("nemotron", 6 * 3 + 1)])
  func hasEveryLinearWeight(_ family: String, _ count: Int) throws {
    #expect(try matrix(of: family).0.tensors.count == 3 * count)
  }
}
