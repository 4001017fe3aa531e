import MTConvTestSupport
import OrderedCollections
@testable import SafetensorsFormat
import TensorFormats
import Testing

@Suite struct SafetensorsWriterTests {
  @Test(arguments: ["every_dtype", "names", "mixed", "no_tensors"])
  func writesTheBytesOfTheReference(_ name: String) throws {
    let path = Fixture.path("safetensors/written/\(name).safetensors")
    let source = try SafetensorsFile(path: path)
    var generator = SeededGenerator(seed: 7)
    let shuffled = source.tensors.map(\.info).shuffled(using: &generator)
    let writer = try SafetensorsWriter(tensors: shuffled, metadata: source.metadata)
    #expect(writer.layout == source.tensors)
    #expect(writer.fileSize == source.file.byteCount)
    let directory = TemporaryFolder()
    let output = try OutputFile(path: directory.file("out.safetensors"), expectedSize: writer.fileSize)
    try writer.write(to: output) { tensor, write in
      let entry = try source.entry(tensor.name)
      // In pieces, so that their count and size do not matter.
      for start in stride(from: 0, to: entry.range.count, by: 5) {
        try source.withBytes(of: entry, in: start..<min(start + 5, entry.range.count)) { try write($0) }
      }
    }
    try output.commit(durable: false)
    #expect(try FileSystem.read(directory.file("out.safetensors")) == FileSystem.read(path))
  }

  @Test func roundTripsNamesMetadataAndBytes() throws {
    let directory = TemporaryFolder()
    let path = try directory.writeTensors([("b", 3, 1), ("a", 0, 2), ("ä\"\\\n", 1, 3)], to: "x.safetensors")
    let file = try SafetensorsFile(path: path)
    #expect(file.tensors.map(\.name) == ["a", "b", "ä\"\\\n"])
    #expect(file.tensors.map(\.info.shape) == [[0], [3], [1]])
    #expect(file.withBytes(of: try file.entry("b")) { Array($0) } == [UInt8](repeating: 1, count: 12))
    #expect(file.warnings.map(\.code) == [.controlCharacterInName])
    #expect(file.header.dataOffset % 8 == 0)
  }

  @Test func keepsTheOrderOfMetadata() throws {
    let metadata: OrderedDictionary = ["z": "1", "a": "2", "m\u{1}": "\u{7F}é"]
    let writer = try SafetensorsWriter(tensors: [], metadata: metadata)
    #expect(try parse(writer.header).metadata == metadata)
  }

  struct Refusal: CustomTestStringConvertible {
    let code: SafetensorsError.Code
    let tensors: [TensorInfo]

    init(_ code: SafetensorsError.Code, _ tensors: (String, ElementFormat, [Int])...) {
      self.code = code
      self.tensors = tensors.map { TensorInfo(name: $0.0, format: $0.1, shape: $0.2) }
    }

    var testDescription: String { "\(code) \(tensors)" }
  }

  @Test(arguments: [
    Refusal(.unsupportedFormat, ("a", .q8_0, [32])),
    Refusal(.duplicateTensor, ("a", .f32, [1]), ("a", .f16, [2])),
    Refusal(.duplicateTensor, ("\u{E9}", .f32, [1]), ("e\u{301}", .f16, [2])),
    Refusal(.reservedName, ("__metadata__", .f32, [1])),
    Refusal(.misalignedSlice, ("a", .f4, [3])),
    Refusal(.misalignedSlice, ("a", .f6E2M3, [2, 3])),
    Refusal(.validationOverflow, ("a", .u8, [.max, 2])),
    Refusal(.validationOverflow, ("a", .f64, [.max])),
    Refusal(.validationOverflow, ("a", .u8, [-1])),
    Refusal(.validationOverflow, ("a", .u8, [.max]), ("b", .u8, [1])),
    Refusal(.validationOverflow, ("a", .u8, [.max])),
  ])
  func refusesWhatTheFormatCannotHold(_ refusal: Refusal) {
    #expect(throws: SafetensorsError(refusal.code, "")) { try SafetensorsWriter(tensors: refusal.tensors) }
  }

  @Test func refusesAHeaderThatNobodyWouldRead() throws {
    let tensors = [TensorInfo(name: "a", format: .f32, shape: [2])]
    let size = try SafetensorsWriter(tensors: tensors).header.count - 8
    #expect(throws: Never.self) { try SafetensorsWriter(tensors: tensors, metadata: [:], headerLimit: size) }
    #expect(throws: SafetensorsError(.headerTooLarge, "")) {
      try SafetensorsWriter(tensors: tensors, metadata: [:], headerLimit: size - 1)
    }
  }

  @Test(arguments: [0, 7, 9, 16])
  func refusesTheWrongNumberOfBytes(_ count: Int) throws {
    let directory = TemporaryFolder()
    let writer = try SafetensorsWriter(tensors: [TensorInfo(name: "a", format: .f32, shape: [2])])
    let output = try OutputFile(path: directory.file("x.safetensors"))
    #expect(throws: SafetensorsError(.invalidTensorView, "")) {
      try writer.write(to: output) { _, write in
        try [UInt8](repeating: 0, count: count).withUnsafeBytes { try write($0) }
      }
    }
    output.cancel()
    #expect(!FileSystem.exists(directory.file("x.safetensors")))
  }

  @Test func passesOnTheErrorOfItsSource() throws {
    struct SourceFailed: Error {}
    let directory = TemporaryFolder()
    let writer = try SafetensorsWriter(tensors: [TensorInfo(name: "a", format: .f32, shape: [2])])
    let output = try OutputFile(path: directory.file("x.safetensors"))
    #expect(throws: SourceFailed.self) { try writer.write(to: output) { _, _ in throw SourceFailed() } }
  }
}
