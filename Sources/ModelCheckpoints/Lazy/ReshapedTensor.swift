internal import TensorFormats

/// A small tensor seen in another shape: all of it is read for any of its rows.
struct ReshapedTensor: TensorSource {
  let base: LazyTensor
  let rowByteCount: Int

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try base.withRows(0..<base.rowCount) { bytes in
      try body(UnsafeRawBufferPointer(rebasing: bytes[rows.lowerBound * rowByteCount..<rows.upperBound * rowByteCount]))
    }
  }
}

extension LazyTensor {
  /// The same elements in another shape of as many. For scales: unless rows stay as long as they are, each read goes through all.
  func reshaped(to shape: [Int]) -> LazyTensor {
    precondition(shape.reduce(1, *) == elementCount, "\(self.shape) cannot be seen as \(shape)")
    let result = LazyTensor(format: format, shape: shape, source: source)
    if shape == self.shape || result.rowLength == rowLength { return result }
    return LazyTensor(
      format: format, shape: shape, source: ReshapedTensor(base: self, rowByteCount: result.rowByteCount))
  }

  /// The same bytes understood in another format of the same size: exponents that a file calls U8.
  func reinterpreted(as format: ElementFormat) -> LazyTensor {
    precondition(format.blockBytes == self.format.blockBytes && format.blockElements == self.format.blockElements)
    return LazyTensor(format: format, shape: shape, source: source)
  }
}
