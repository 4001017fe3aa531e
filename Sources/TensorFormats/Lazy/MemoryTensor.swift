/// A small tensor held in memory.
public struct MemoryTensor: TensorSource {
  private let bytes: [UInt8]
  private let rowByteCount: Int

  public init(bytes: [UInt8], rowByteCount: Int) {
    self.bytes = bytes
    self.rowByteCount = rowByteCount
  }

  public func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let range = rows.lowerBound * rowByteCount..<rows.upperBound * rowByteCount
    try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }
}

extension LazyTensor {
  /// A tensor of 32-bit floats in memory.
  public init(_ values: [Float], shape: [Int]) {
    let bytes = values.withUnsafeBytes { Array($0) }
    self.init(
      format: .f32, shape: shape, source: MemoryTensor(bytes: bytes, rowByteCount: 4 * (shape.last ?? 1)))
  }
}
