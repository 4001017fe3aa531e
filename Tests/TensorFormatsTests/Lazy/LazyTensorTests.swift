import MTConvTestSupport
import TensorFormats
import Testing

@Suite struct LazyTensorTests {
  private let directory = TemporaryFolder()

  @Test func readsAMappedTensorInPanelsOfRows() throws {
    // 700 rows of 1024 BF16 numbers, behind ten bytes of something else: two panels.
    let values = (0..<700 * 1024).map { Float($0 % 251) - 125 }
    let output = try OutputFile(path: directory.file("weights"))
    try output.write([UInt8](repeating: 0xFF, count: 10))
    try output.write(ElementFormat.bf16.codec!.encoded(values))
    try output.commit(durable: false)
    let file = try MappedFile(path: directory.file("weights"))
    let source = MappedTensor(file: file, range: 10..<file.byteCount, rowByteCount: 2048)
    let tensor = LazyTensor(format: .bf16, shape: [700, 1024], source: source)
    #expect(tensor.panelRowCount == 512)
    #expect(tensor.byteCount == 700 * 2048)
    #expect(try tensor.decoded() == values)
    #expect(try tensor.bytes() == file.withBytes { Array($0[10...]) })
    var panels: [Range<Int>] = []
    try tensor.forEachPanel { rows, bytes in
      panels.append(rows)
      #expect(bytes.count == rows.count * 2048)
    }
    #expect(panels == [0..<512, 512..<700])
    var row = [Float](repeating: 0, count: 1024)
    try row.withUnsafeMutableBufferPointer { try tensor.decode(rows: 699..<700, into: $0) }
    #expect(row == Array(values[(699 * 1024)...]))
  }

  @Test(arguments: [[], [5], [2, 3], [2, 0], [0, 4], [2, 2, 2]] as [[Int]])
  func holdsNumbersInMemory(shape: [Int]) throws {
    let count = shape.reduce(1, *)
    let values = (0..<count).map { Float($0) }
    let tensor = LazyTensor(values, shape: shape)
    #expect(tensor.elementCount == count)
    #expect(try tensor.decoded() == values)
    #expect(try tensor.bytes().count == 4 * count)
  }

  @Test func aFormatWithoutCodecIsAnError() {
    let source = MemoryTensor(bytes: [UInt8](repeating: 0, count: 210), rowByteCount: 210)
    let tensor = LazyTensor(format: .q6_K, shape: [256], source: source)
    let error = #expect(throws: TensorError.self) { try tensor.decoded() }
    #expect(error == .notDecodable(.q6_K))
    #expect(error?.description == "element format Q6_K cannot be decoded yet")
    #expect((try? tensor.bytes().count) == 210)
  }
}
