import Foundation
import GGUFFormat
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

@Suite struct GGUFWriterTests {
  /// Reads a file, plans the same one and writes it.
  private func rewritten(_ path: String, to output: String) throws {
    let file = try GGUFFile(path: path)
    let writer = try GGUFWriter(metadata: file.metadata, tensors: file.tensors.map(\.info))
    let target = try OutputFile(path: output, overwrite: true, expectedSize: writer.fileSize)
    try writer.write(to: target) { info, emit in
      let entry = try #require(file[info.name])
      try file.withBytes(of: entry) { try emit($0) }
    }
    #expect(target.byteCount == writer.fileSize)
    try target.commit(durable: false)
  }

  private func sameBytes(_ a: String, _ b: String) throws -> Bool {
    let (left, right) = (try MappedFile(path: a), try MappedFile(path: b))
    return left.withBytes { left in
      right.withBytes { right in
        left.count == right.count && (left.isEmpty || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0)
      }
    }
  }

  /// Files that no writer of version 3 makes.
  private static let irregular: Set<String> = [
    "big-endian.gguf", "version-2.gguf", "trailing-bytes.gguf", "no-final-padding.gguf", "padding-without-tensors.gguf",
  ]

  @Test(arguments: Manifest.valid.filter { !irregular.contains($0.file) })
  func writesTheBytesThatGGUFPyWrites(_ fixture: Manifest.Valid) throws {
    let folder = TemporaryFolder()
    try rewritten(fixture.path, to: folder.file("out.gguf"))
    #expect(try sameBytes(fixture.path, folder.file("out.gguf")))
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["MTCONV_SMOLLM2_GGUF"] != nil))
  func rewritesARealModelByteForByte() throws {
    let folder = TemporaryFolder()
    let path = try #require(ProcessInfo.processInfo.environment["MTCONV_SMOLLM2_GGUF"])
    try rewritten(path, to: folder.file("out.gguf"))
    #expect(try sameBytes(path, folder.file("out.gguf")))
  }

  @Test func writesAModelFromScratchAsGGUFPyDoes() throws {
    let metadata: OrderedDictionary<String, GGUFValue> = [
      "general.architecture": .string("llama"), "llama.block_count": .uint32(1),
      "tokenizer.ggml.model": .string("gpt2"), "tokenizer.ggml.tokens": GGUFValue(["<s>", "a", "Ġb", "é"]),
      "tokenizer.ggml.token_type": GGUFValue([3, 1, 1, 1] as [Int32]),
      "tokenizer.ggml.scores": GGUFValue([0, -1.5, -2.5, -1000] as [Float]),
    ]
    let formats: [ElementFormat] = [.f32, .f16, .i8, .i16, .i32, .i64, .f64]
    let tensors = formats.enumerated().map { TensorInfo(name: "blk.0.t\($0).weight", format: $1, shape: [2, 16]) }
    let writer = try GGUFWriter(metadata: metadata, tensors: tensors)
    let folder = TemporaryFolder()
    let output = try OutputFile(path: folder.file("out.gguf"))
    try writer.write(to: output) { info, emit in
      for number in 0..<32 { try encoded(number, info.format).withUnsafeBytes { try emit($0) } }
    }
    try output.commit(durable: false)
    #expect(try sameBytes(folder.file("out.gguf"), Fixture.path("gguf/valid/model.gguf")))
    #expect(try GGUFFile(path: folder.file("out.gguf")).tensors == writer.layout)
  }

  @Test func addsTheKeyOfAnAlignmentThatIsAskedFor() throws {
    let writer = try GGUFWriter(
      metadata: ["general.architecture": .string("llama")],
      tensors: [TensorInfo(name: "a", format: .i8, shape: [1]), TensorInfo(name: "b", format: .i8, shape: [1])],
      alignment: 64)
    #expect(writer.layout.map { $0.range.lowerBound % 64 } == [0, 0])
    #expect(writer.alignment == 64)
    let same = try GGUFWriter(metadata: ["general.alignment": .uint32(64)], tensors: [], alignment: 64)
    #expect(same.alignment == 64)
    #expect(try GGUFWriter(metadata: ["general.alignment": .uint32(8)], tensors: []).alignment == 8)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let code: GGUFError.Code
    var metadata: OrderedDictionary<String, GGUFValue> = [:]
    var tensors: [TensorInfo] = []
    var alignment: Int?
    var testDescription: String { code.rawValue }
  }

  private static func tensor(_ name: String, _ format: ElementFormat, _ shape: [Int]) -> TensorInfo {
    TensorInfo(name: name, format: format, shape: shape)
  }

  static let refusals = [
    Refusal(code: .keyEmpty, metadata: ["": .uint8(1)]),
    Refusal(code: .keyLength, metadata: [String(repeating: "k", count: 65_536): .uint8(1)]),
    Refusal(code: .alignmentType, metadata: ["general.alignment": .uint64(32)]),
    Refusal(code: .alignmentValue, metadata: ["general.alignment": .uint32(12)]),
    Refusal(code: .alignmentValue, alignment: 0),
    Refusal(code: .alignmentValue, alignment: -32),
    Refusal(code: .alignmentValue, alignment: 1 << 40),
    Refusal(code: .alignmentValue, metadata: ["general.alignment": .uint32(32)], alignment: 64),
    Refusal(code: .tensorNameLength, tensors: [tensor(String(repeating: "n", count: 64), .f32, [1])]),
    Refusal(code: .duplicateTensor, tensors: [tensor("a", .f32, [1]), tensor("a", .f32, [1])]),
    Refusal(code: .dimensionCount, tensors: [tensor("a", .f32, [1, 1, 1, 1, 1])]),
    Refusal(code: .dimension, tensors: [tensor("a", .f32, [-1])]),
    Refusal(code: .elementCount, tensors: [tensor("a", .f32, [1 << 32, 1 << 32])]),
    Refusal(code: .elementType, tensors: [tensor("a", .f8E4M3, [1])]),
    Refusal(code: .rowLength, tensors: [tensor("a", .q4_0, [2, 16])]),
    Refusal(code: .byteCount, tensors: [tensor("a", .f64, [1 << 61])]),
    Refusal(code: .paddingOverflow, tensors: [tensor("a", .i8, [.max - 1])]),
    Refusal(code: .dataSizeOverflow, tensors: [tensor("a", .i8, [1 << 62]), tensor("b", .i8, [1 << 62])]),
  ]

  @Test(arguments: refusals)
  func refusesPlansThatNobodyCouldRead(_ plan: Refusal) {
    #expect(throws: GGUFError(plan.code, "")) {
      try GGUFWriter(metadata: plan.metadata, tensors: plan.tensors, alignment: plan.alignment)
    }
  }

  @Test(arguments: [0, 3, 5])
  func refusesTheWrongNumberOfBytes(count: Int) throws {
    let writer = try GGUFWriter(metadata: [:], tensors: [TensorInfo(name: "a", format: .i8, shape: [4])])
    let folder = TemporaryFolder()
    let output = try OutputFile(path: folder.file("out.gguf"))
    #expect(throws: GGUFError(.tensorData, "")) {
      try writer.write(to: output) { _, emit in
        for _ in 0..<count { try [UInt8(1)].withUnsafeBytes { try emit($0) } }
      }
    }
    output.cancel()
    #expect(!FileSystem.exists(folder.file("out.gguf")))
  }
}

private func encoded(_ number: Int, _ format: ElementFormat) -> [UInt8] {
  func bytes<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] { withUnsafeBytes(of: word.littleEndian) { Array($0) } }
  switch format {
  case .f32: return bytes(Float(number).bitPattern)
  case .f64: return bytes(Double(number).bitPattern)
  case .f16:
    // Small integers are exact in half precision: the top ten bits of the 32-bit fraction, the exponent rebiased.
    let bits = Float(number).bitPattern
    return bytes(number == 0 ? UInt16(0) : UInt16((bits >> 13) & 0x3FF) | UInt16((bits >> 23) - 112) << 10)
  case .i8: return bytes(Int8(number))
  case .i16: return bytes(Int16(number))
  case .i32: return bytes(Int32(number))
  default: return bytes(Int64(number))
  }
}
