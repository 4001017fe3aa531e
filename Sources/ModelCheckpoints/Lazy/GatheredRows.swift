internal import TensorFormats

/// Some rows of a tensor, in some order. Whole rows move, so every format with whole-byte rows can be gathered without decoding.
struct GatheredRows: TensorSource {
  let base: LazyTensor
  /// For each row of the result, the row of the base.
  let indices: [Int]

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let rowBytes = base.rowByteCount
    try withUnsafeTemporaryAllocation(byteCount: rows.count * rowBytes, alignment: 64) { output in
      let wanted = indices[rows]
      if let lowest = wanted.min(), let highest = wanted.max() {
        try base.withRows(lowest..<highest + 1) { bytes in
          for (position, index) in wanted.enumerated() {
            let start = (index - lowest) * rowBytes
            output.baseAddress!.advanced(by: position * rowBytes)
              .copyMemory(from: bytes.baseAddress!.advanced(by: start), byteCount: rowBytes)
          }
        }
      }
      try body(UnsafeRawBufferPointer(output))
    }
  }
}

extension LazyTensor {
  /// The rows of these indices, in this order.
  func gatheringRows(_ indices: [Int]) -> LazyTensor {
    var shape = shape
    // A vector is one row of elements; as a bias it is a column, and its elements are what is gathered.
    if shape.count == 1 {
      let column = LazyTensor(format: format, shape: [shape[0], 1], source: ElementRows(base: self))
      return LazyTensor(
        format: format, shape: [indices.count],
        source: WholeVector(rows: GatheredRows(base: column, indices: indices), count: indices.count))
    }
    shape[0] = indices.count
    return LazyTensor(format: format, shape: shape, source: GatheredRows(base: self, indices: indices))
  }
}

/// A vector seen as a column: every element is a row.
private struct ElementRows: TensorSource {
  let base: LazyTensor

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let size = base.format.blockBytes
    try base.withRows(0..<1) { bytes in
      try body(UnsafeRawBufferPointer(rebasing: bytes[rows.lowerBound * size..<rows.upperBound * size]))
    }
  }
}

/// A column seen as a vector: all its rows are one.
private struct WholeVector: TensorSource {
  let rows: GatheredRows
  let count: Int

  func withRows(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try rows.withRows(range.isEmpty ? 0..<0 : 0..<count, body)
  }
}
