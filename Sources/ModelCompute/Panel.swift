/// A rectangle inside a matrix, without ownership: what kernels work on. The matrix must outlive it.
struct Panel: @unchecked Sendable {
  let start: UnsafeMutablePointer<Float>
  let rows: Int
  let columns: Int
  /// Values from one row to the next.
  let stride: Int

  func rows(_ range: Range<Int>) -> Panel {
    Panel(start: start + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  func columns(_ range: Range<Int>) -> Panel {
    Panel(start: start + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }

  func row(_ index: Int) -> UnsafeMutablePointer<Float> { start + index * stride }

  func zero() {
    if columns == stride { return start.update(repeating: 0, count: rows * columns) }
    for index in 0..<rows { row(index).update(repeating: 0, count: columns) }
  }
}
