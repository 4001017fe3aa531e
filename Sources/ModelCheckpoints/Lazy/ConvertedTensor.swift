package import TensorFormats

/// A tensor decoded from one format and encoded in another, with a constant added in between (zero for a plain conversion).
///
/// A finite value that the target cannot hold is an error that names the place, never a silent infinity.
struct ConvertedTensor: TensorSource {
  let base: LazyTensor
  let target: ElementFormat
  let addend: Float
  /// For the message of an error.
  let name: String

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let count = rows.count * base.rowLength
    guard let codec = target.codec, let size = target.byteCount(of: count) else {
      throw TensorError.notEncodable(target)
    }
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { values in
      try base.decode(rows: rows, into: values)
      if addend != 0 { for index in 0..<count { values[index] += addend } }
      try checkRange(UnsafeBufferPointer(values), rows: rows)
      try withUnsafeTemporaryAllocation(byteCount: size, alignment: 64) { bytes in
        codec.encode(UnsafeBufferPointer(values), into: bytes)
        try body(UnsafeRawBufferPointer(bytes))
      }
    }
  }

  private func checkRange(_ values: UnsafeBufferPointer<Float>, rows: Range<Int>) throws {
    guard let limit = target.largestFinite else { return }
    for index in values.indices {
      let magnitude = abs(values[index])
      if magnitude <= limit { continue }
      if target.kind == .float, !magnitude.isFinite { continue }
      let row = rows.lowerBound + index / base.rowLength
      throw CheckpointError(
        .valueOutOfRange,
        "tensor '\(name)': value \(values[index]) in row \(row), column \(index % base.rowLength) does not fit \(target)"
          + " (largest is \(limit)); use a wider format such as bf16 or f32")
    }
  }
}

extension ElementFormat {
  /// The largest magnitude that encodes to a finite value; nil where every 32-bit float does.
  var largestFinite: Float? {
    switch self {
    case .f16: Float(65520).nextDown  // rounds to 65504; 65520 rounds to infinity
    case .bf16: Float(bitPattern: 0x7F7F_8000).nextDown  // halfway to the next power of two rounds to infinity
    case .q8_0: 127 * 65504
    case .q4_0: 8 * 65504
    case .q4_1: 65504
    default: nil
    }
  }
}

extension LazyTensor {
  /// The same values in another format; the tensor itself if it has that format already.
  package func converted(to target: ElementFormat, adding addend: Float = 0, name: String) -> LazyTensor {
    if target == format, addend == 0 { return self }
    return LazyTensor(
      format: target, shape: shape, source: ConvertedTensor(base: self, target: target, addend: addend, name: name))
  }
}
