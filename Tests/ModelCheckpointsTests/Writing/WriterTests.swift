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
      "m.gguf": { try model.write(to: work.file("m.gguf"), as: .gguf, options) },
      "hf": { try model.write(to: work.file("hf"), as: .huggingFace, options) },
    ]
  }

  @Test func shardsOpenAgainWithTheSameValues() throws {
    var options = Self.quick
    options.maximumShardSize = 40_000
    let model = try pico()
    try model.write(to: work.file("hf"), as: .huggingFace, options)
    let names = try FileSystem.names(in: work.file("hf"))
    #expect(names.filter { $0.hasSuffix(".safetensors") }.count > 3)
    let set = try SafetensorsFileSet(path: work.file("hf"))
    #expect(set.index?.totalSize == model.byteCount)
    for file in set.files { #expect(file.tensors.reduce(0) { $0 + $1.range.count } <= 40_000) }
    let written = try Checkpoint(path: work.file("hf"))
    for (key, weight) in model.weights { #expect(try written.weights[key]?.values.bytes() == weight.values.bytes()) }
  }

  @Test func theAnnouncedSizeIsTheWrittenOne() throws {
    let source = try pico("llama-rope3")
    for (name, kind) in [("m.gguf", Checkpoint.FileFormat.gguf), ("hf", .huggingFace)] {
      for format in [ElementFormat.f32, .bf16, .q8_0] where kind == .gguf || format != .q8_0 {
        let model = source.converted(to: format, for: kind)
        #expect(model.fits(kind))
        var options = Self.quick
        options.overwrites = true
        try model.write(to: work.file(name), as: kind, options)
        let written = try Inspection(path: work.file(name)).byteCount
        #expect(try model.byteCount(as: kind) == written)
      }
    }
  }

  @Test func anExistingOutputIsRefusedAndReplacedOnlyWhenAsked() throws {
    for (name, write) in write(try pico(), Self.quick) {
      try work.write([1, 2, 3], to: name)
      let error = #expect(throws: FileError.self) { try write() }
      #expect(error?.code == .exists && error?.message.contains(name) == true)
      #expect(try work.bytes(of: name) == [1, 2, 3])
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
    let model = try pico("gemma2").keeping(layers: [0, 1]).converted(to: .bf16, for: .huggingFace)
    for name in ["a", "b"] { try model.write(to: work.file(name), as: .huggingFace, Self.quick) }
    for name in try FileSystem.names(in: work.file("a")) {
      #expect(try work.bytes(of: "a/\(name)") == work.bytes(of: "b/\(name)"))
    }
    let llama = try pico().converted(to: .q8_0, for: .gguf)
    for name in ["a.gguf", "b.gguf"] { try llama.write(to: work.file(name), as: .gguf, Self.quick) }
    #expect(try work.bytes(of: "a.gguf") == work.bytes(of: "b.gguf"))
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
    let model = try folder.opened().converted(to: .f16, for: .gguf)
    for (_, write) in write(model, Self.quick) {
      expectError(.valueOutOfRange, naming: "'\(name)'", "99840", "row 5", "column 7", "F16", body: write)
    }
    #expect(try work.names() == [])
  }

  @Test func blocksOfWhatIsNoNumberAreRefused() throws {
    var folder = try ModelFolder("llama")
    let name = "model.layers.0.self_attn.q_proj.weight"
    var values = try folder.tensors[name]!.decoded()
    values[0] = .nan
    folder.set(name, values, shape: [32, 32])
    let model = try folder.opened().converted(to: .q8_0, for: .gguf)
    expectError(.valueOutOfRange, naming: "'\(name)'", "nan", "row 0") {
      try model.write(to: work.file("m.gguf"), as: .gguf, Self.quick)
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
