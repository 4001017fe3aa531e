internal import TensorFormats

/// Undoes `w + 1` on a norm weight, exactly where the original values stand beside it.
///
/// An original is used only if adding one gives the stored value, so an edited tensor is never overruled by a stale record.
struct RestoredOffset: TensorSource {
  let stored: LazyTensor
  /// The originals, or empty.
  let originals: [Float]

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let count = rows.count * stored.rowLength
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { values in
      try stored.decode(rows: rows, into: values)
      for index in 0..<count { values[index] = restored(values[index], at: rows.lowerBound * stored.rowLength + index) }
      try body(UnsafeRawBufferPointer(values))
    }
  }

  private func restored(_ value: Float, at index: Int) -> Float {
    guard originals.indices.contains(index), originals[index] + 1 == value else { return value - 1 }
    return originals[index]
  }
}
