import ModelArchitectures
import MTConvTestSupport
import OrderedCollections
import SafetensorsFormat
import Synchronization
import TensorFormats
import Testing

@testable import ModelCheckpoints

@Suite struct WriterTests {
  private static var quick: WriteOptions {
    var options = WriteOptions()
    options.isDurable = false
    return options
  }

  private let work = TemporaryFolder()

  private func pico(_ name: String = "llama") throws -> Checkpoint {
    try Checkpoint(path: Fixture.path("models/\(name)-pico"))
  }

  /// Both writers, by the name of their output.
  private func write(_ model: Checkpoint, _ options: WriteOptions) -> [String: @Sendable () throws -> Void] {
    [
      "m.gguf": { try model.writeGGUF(to: work.file("m.gguf"), options) },
      "hf": { try model.writeHuggingFace(to: work.file("hf"), options) },
    ]
  }

  @Test func shardsOpenAgainWithTheSameValues() throws {
    var options = Self.quick
    options.maximumShardSize = 40_000
    let model = try pico()
    try model.writeHuggingFace(to: work.file("hf"), options)
    let names = try FileSystem.names(in: work.file("hf"))
    #expect(names.filter { $0.hasSuffix(".safetensors") }.count > 3)
    let set = try SafetensorsFileSet(path: work.file("hf"))
    #expect(set.index?.totalSize == model.byteCount)
    for file in set.files { #expect(file.tensors.reduce(0) { $0 + $1.range.count } <= 40_000) }
    let written = try Checkpoint(path: work.file("hf"))
    for (key, weight) in model.weights { #expect(try written.weights[key]?.values.bytes() == weight.values.bytes()) }
  }

  @Test func theAnnouncedSizeIsTheWrittenOne() throws {
    for format in [nil, ElementFormat.bf16, .q8_0] {
      var options = Self.quick
      (options.elementFormat, options.overwrites) = (format, true)
      let model = try pico("llama-rope3")
      try model.writeGGUF(to: work.file("m.gguf"), options)
      let written = try Inspection(path: work.file("m.gguf")).byteCount
      #expect(try model.ggufByteCount(options) == written)
      guard format != .q8_0 else { continue }
      try model.writeHuggingFace(to: work.file("hf"), options)
      let bytes = try Inspection(path: work.file("hf")).byteCount
      #expect(try model.huggingFaceByteCount(options) == bytes)
    }
  }

  @Test func anExistingOutputIsRefusedAndReplacedOnlyWhenAsked() throws {
    for (name, write) in write(try pico(), Self.quick) {
      try work.write([1, 2, 3], to: name)
      let error = #expect(throws: FileError.self) { try write() }
      #expect(error?.code == .exists && error?.message.contains(name) == true)
      #expect(try work.bytes(name) == [1, 2, 3])
    }
    #expect(try work.names() == ["hf", "m.gguf"])
    var options = Self.quick
    options.overwrites = true
    for (_, write) in write(try pico(), options) { for _ in 0..<2 { try write() } }
    #expect(
      try Checkpoint(path: work.file("hf")).parameterCount == Checkpoint(path: work.file("m.gguf")).parameterCount)
    #expect(try work.names() == ["hf", "m.gguf"])
  }

  @Test func twoWritesGiveTheSameBytes() throws {
    let model = try pico("gemma2").keeping(layers: [0, 1])
    var options = Self.quick
    options.elementFormat = .bf16
    try model.writeHuggingFace(to: work.file("a"), options)
    try model.writeHuggingFace(to: work.file("b"), options)
    for name in try FileSystem.names(in: work.file("a")) {
      #expect(try work.bytes("a/\(name)") == work.bytes("b/\(name)"))
    }
    let llama = try pico()
    try llama.writeGGUF(to: work.file("a.gguf"), options)
    try llama.writeGGUF(to: work.file("b.gguf"), options)
    #expect(try work.bytes("a.gguf") == work.bytes("b.gguf"))
  }

  @Test func progressRisesToTheTotal() throws {
    let seen = Mutex<[WorkProgress]>([])
    var options = Self.quick
    options.progress = { progress in seen.withLock { $0.append(progress) } }
    for (_, write) in write(try pico(), options) {
      seen.withLock { $0 = [] }
      try write()
      let steps = seen.withLock { $0 }
      #expect(steps.map(\.completed) == steps.map(\.completed).sorted())
      #expect(Set(steps.map(\.total)).count == 1)
      #expect(steps.last?.completed == steps.last?.total)
    }
  }

  @Test func aCancelledTaskLeavesNothing() async throws {
    let model = try pico()
    for (_, write) in write(model, Self.quick) {
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try write()
      }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    #expect(try work.names() == [])
  }

  @Test func aValueThatDoesNotFitIsNamedAndNothingIsLeft() throws {
    var folder = try ModelFolder("llama")
    let name = "model.layers.2.mlp.down_proj.weight"
    var values = try folder.tensors[name]!.decoded()
    values[5 * 96 + 7] = 1e5
    folder.set(name, values, shape: [32, 96])
    try folder.encode(as: .bf16)
    let model = try folder.opened()
    var options = Self.quick
    options.elementFormat = .f16
    for (output, write) in write(model, options) {
      let stored = output == "hf" ? name : "blk.2.ffn_down.weight"
      expectError(.valueOutOfRange, naming: "'\(stored)'", "99840", "row 5", "column 7", "F16", body: write)
    }
    #expect(try work.names() == [])
  }

  @Test func blocksOfWhatIsNoNumberAreRefused() throws {
    var folder = try ModelFolder("llama")
    let name = "model.layers.0.self_attn.q_proj.weight"
    var values = try folder.tensors[name]!.decoded()
    values[0] = .nan
    folder.set(name, values, shape: [32, 32])
    var options = Self.quick
    options.elementFormat = .q8_0
    let model = try folder.opened()
    expectError(.valueOutOfRange, naming: "'blk.0.attn_q.weight'", "nan", "row 0") {
      try model.writeGGUF(to: work.file("m.gguf"), options)
    }
    #expect(try work.names() == [])
  }

  @Test func aFullDiskIsNoticedBeforeTheWork() throws {
    let available = try #require(FileSystem.availableBytes(at: work.path))
    try checkSpace(available / 2, at: work.path)
    expectError(.noSpace, naming: work.path, "are free") { try checkSpace(.max, at: work.path) }
    // A model larger than any disk, of rows that nobody reads.
    var model = try pico()
    let rows = 1 << 50
    model.weights[WeightKey(.embedding)] = Weight(
      LazyTensor(format: .f32, shape: [rows, 32], source: MemoryTensor(bytes: [], rowByteCount: 128)))
    for (_, write) in write(model, Self.quick) { expectError(.noSpace, naming: "needs", body: write) }
    #expect(try work.names() == [])
  }
}
