internal import TensorFormats

/// Runs `body` over the rows of a `rows × columns` matrix, on all cores if it is large enough to be worth waking them.
///
/// - Parameter cost: nanoseconds per value, roughly.
func forEachRowRange(rows: Int, columns: Int, cost: Double = 0.5, _ body: @Sendable (Range<Int>) -> Void) {
  let total = Double(rows * columns) * cost
  guard total > 100_000, freeProcessorCount > 1 else {
    if rows > 0 { body(0..<rows) }
    return
  }
  let pieces = min(rows, min(Int(total / 50_000), processorCount * 4))
  parallelChunks(of: rows, size: (rows + pieces - 1) / pieces, body)
}
