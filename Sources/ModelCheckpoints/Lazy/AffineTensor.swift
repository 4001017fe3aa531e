internal import TensorFormats

/// `factor · value + offset` for each value of a tensor, in the tensor's own format.
struct AffineTensor: TensorSource {
  let base: LazyTensor
  let factor: Float
  let offset: Float

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let count = rows.count * base.rowLength
    guard let codec = base.format.codec, let size = base.format.byteCount(of: count) else {
      throw TensorError.notEncodable(base.format)
    }
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { values in
      try base.decode(rows: rows, into: values)
      for index in 0..<count { values[index] = factor * values[index] + offset }
      try withUnsafeTemporaryAllocation(byteCount: size, alignment: 64) { bytes in
        codec.encode(UnsafeBufferPointer(values), into: bytes)
        try body(UnsafeRawBufferPointer(bytes))
      }
    }
  }
}

extension LazyTensor {
  func mapped(by factor: Double, plus offset: Double) -> LazyTensor {
    LazyTensor(
      format: format, shape: shape, source: AffineTensor(base: self, factor: Float(factor), offset: Float(offset)))
  }
}
