import Foundation
import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@Suite struct StatisticsFileTests {
  private func file(of name: String) throws -> StatisticsFile {
    let model = try Checkpoint(path: Fixture.path("models/\(name)-pico"))
    let set = CalibrationSet.random(for: model, context: 16, count: 3)
    let settings = try StatisticsFile.Settings(of: model, on: set)
    return StatisticsFile(settings: settings, statistics: try ActivationStatistics(of: model, on: set))
  }

  // phi has no second norm in a block, so no statistics at its output.
  @Test(arguments: ["llama", "phi"]) func survivesAFile(name: String) throws {
    let folder = TemporaryFolder()
    let file = try file(of: name)
    let path = folder.file("stats.safetensors")
    try file.write(to: path)
    #expect(try StatisticsFile(path: path) == file)
    #expect(throws: FileError(.exists, "")) { try file.write(to: path) }
  }

  @Test func keepsTheLossesOfSkippedLayers() throws {
    let folder = TemporaryFolder()
    var file = try file(of: "llama")
    let losses = LayerLosses(baseline: 2.5, tokenCount: 48, losses: [1: [3, 4, 5], 2: [.infinity, 7]])
    file.statistics.layerLosses = losses
    try file.write(to: folder.file("stats.safetensors"))
    let read = try StatisticsFile(path: folder.file("stats.safetensors"))
    #expect(read == file)
    #expect(read.statistics.layerLosses?[first: 1, count: 2] == 7)
  }

  @Test func refusesAFileOfSomethingElse() throws {
    #expect(throws: CompressionError(.wrongStatistics, "")) {
      try StatisticsFile(path: Fixture.path("models/llama-pico/model.safetensors"))
    }
  }

  @Test func saysWhatItIsOf() throws {
    let folder = TemporaryFolder()
    let model = try Checkpoint(path: Fixture.path("models/llama-pico"))
    try folder.write("some text", to: "a.txt")
    let set = CalibrationSet(sequences: [[1, 2, 3], [4, 5]])
    let settings = try StatisticsFile.Settings(of: model, on: set, text: folder.file("a.txt"))
    #expect(settings.text == "a.txt")
    #expect(settings.textHash == ContentHash(of: Array("some text".utf8)))
    #expect(settings.tokensHash == ContentHash(of: Array("1 2 3\n4 5\n".utf8)))
    #expect(settings.modelHash == (try model.contentHash()))
    #expect((settings.context, settings.sequences, settings.tokens) == (3, 2, 5))
  }

  @Test func refusesStatisticsOfOtherWeights() throws {
    let file = try file(of: "llama")
    let model = try Checkpoint(path: Fixture.path("models/llama-pico"))
    try file.check(against: model)
    let changed = try model.changing("model.norm.weight") { $0[3] += 1 }
    let error = #expect(throws: CompressionError.self) { try file.check(against: changed) }
    #expect(error?.code == .wrongStatistics)
    #expect(error?.message.contains("other weights") == true)
    #expect(throws: CompressionError(.wrongStatistics, "")) {
      try file.check(against: Checkpoint(path: Fixture.path("models/qwen2-pico")))
    }
  }

  /// What somebody may do to a file, and what is said then.
  static let damage: [(String, @Sendable (inout Tensors) -> Void, String)] = [
    ("site dropped", { $0.remove("layers.1.attended.maximum") }, "0 channels of attended of layer 1"),
    ("sum dropped", { $0.remove("layers.1.attended.mean.sum") }, "no tensor 'layers.1.attended.mean.sum'"),
    ("influence dropped", { $0.remove("blockInfluence") }, "no tensor 'blockInfluence'"),
    ("last norm dropped", { $0.remove("finalHidden.maximum") }, "no statistics of the last norm"),
    ("sum shortened", { $0.replace("layers.0.value.l2.sum", [1, 2]) }, "F64 [2], expected F64 [16]"),
    ("distances shortened", { $0.replace("layers.0.angularDistances", [1]) }, "F64 [1], expected F64 [3]"),
    ("histogram of doubles", { $0.replace("finalHidden.histogram", [1]) }, "F64 [1], expected I64 [768]"),
    ("counts negative", { $0.replace("finalHidden.counts", counts: [3, -48]) }, "has a count of -48"),
    ("counts overflowing", { $0.replace("finalHidden.counts", counts: [Int.max, 1]) }, "has a count of 1"),
    ("layers claimed", { $0.settings("\"layerCount\":3", "\"layerCount\":4000000000000") }, "for 4000000000000 layers"),
    ("layers negative", { $0.settings("\"layerCount\":3", "\"layerCount\":-3") }, "for -3 layers"),
    ("tokens claimed", { $0.settings("\"tokens\":48", "\"tokens\":0") }, "0 tokens in 3 sequences"),
    ("key added", { $0.settings("\"tokens\":48", "\"tokens\":48,\"more\":1") }, "unknown key 'more'"),
    ("hash cut", { $0.settings("\"modelHash\":\"", "\"modelHash\":\"0") }, "modelHash"),
    ("no JSON", { $0.settings("{", "") }, "cannot be read"),
    ("losses without tokens", { $0.replace("layerLosses.whole", [2, 0.5]) }, "has 0.5 tokens"),
    ("losses shortened", { $0.replace("layerLosses.2", [2]) }, "F64 [1], expected F64 [2]"),
  ]

  @Test(arguments: damage.indices) func refusesAnEditedFileInOneLine(_ index: Int) throws {
    let (_, change, message) = Self.damage[index]
    let folder = TemporaryFolder()
    var file = try file(of: "llama")
    file.statistics.layerLosses = LayerLosses(baseline: 2, tokenCount: 4, losses: [1: [3, 4, 5], 2: [6, 7]])
    try file.write(to: folder.file("stats"))
    var tensors = try Tensors(path: folder.file("stats"))
    change(&tensors)
    try tensors.write(to: folder.file("edited"))
    let error = #expect(throws: CompressionError.self) {
      try StatisticsFile(path: folder.file("edited")).check(
        against: Checkpoint(path: Fixture.path("models/llama-pico")))
    }
    #expect(error?.code == .wrongStatistics)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "nothing")")
    #expect(error?.message.contains("\n") == false)
  }
}

/// The tensors and metadata of a file, to be changed.
struct Tensors {
  private var infos: [TensorInfo]
  private var bytes: [String: [UInt8]] = [:]
  private var metadata: OrderedDictionary<String, String>

  init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    infos = file.tensors.map(\.info)
    metadata = file.metadata
    for entry in file.tensors { bytes[entry.name] = file.withBytes(of: entry) { Array($0) } }
  }

  mutating func remove(_ name: String) { infos.removeAll { $0.name == name } }

  mutating func replace(_ name: String, _ values: [Double]) {
    replace(name, .f64, values.count, values.withUnsafeBytes { Array($0) })
  }

  mutating func replace(_ name: String, counts values: [Int]) {
    replace(name, .i64, values.count, values.withUnsafeBytes { Array($0) })
  }

  mutating func settings(_ old: String, _ new: String) {
    let key = "mtconv.calibration"
    let text = metadata[key]!
    let start = text.range(of: old)!
    metadata[key] = text.replacingCharacters(in: start, with: new)
  }

  func write(to path: String) throws {
    let writer = try SafetensorsWriter(tensors: infos, metadata: metadata)
    let output = try OutputFile(path: path, expectedSize: writer.fileSize)
    try writer.write(to: output) { info, sink in try bytes[info.name]!.withUnsafeBytes { try sink($0) } }
    try output.commit(durable: false)
  }

  private mutating func replace(_ name: String, _ format: ElementFormat, _ count: Int, _ data: [UInt8]) {
    let index = infos.firstIndex { $0.name == name }!
    infos[index] = TensorInfo(name: name, format: format, shape: [count])
    bytes[name] = data
  }
}
