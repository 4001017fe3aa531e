public import TensorFormats

/// A logical weight: values, and what they must be multiplied with when they are codes.
public struct Weight: Sendable {
  /// In Hugging Face orientation: a linear weight is `(out, in)`.
  public var values: LazyTensor
  /// Multiplier of the values: one for each row, shape `(out, 1)`, or one for all.
  public var scale: LazyTensor?

  public init(_ values: LazyTensor, scale: LazyTensor? = nil) {
    self.values = values
    self.scale = scale
  }

  public var shape: [Int] { values.shape }
  public var format: ElementFormat { values.format }

  /// Bytes of values and scales.
  public var byteCount: Int { values.byteCount + (scale?.byteCount ?? 0) }

  /// The numbers that `rows` stand for, as 32-bit floats.
  public func decode(rows: Range<Int>, into output: UnsafeMutableBufferPointer<Float>) throws {
    try values.decode(rows: rows, into: output)
    guard let scale else { return }
    let length = values.rowLength
    let factors = scale.elementCount == 1 ? [] : try rowFactors(scale, rows)
    let shared = scale.elementCount == 1 ? try scale.decoded()[0] : 1
    for row in 0..<rows.count {
      let factor = factors.isEmpty ? shared : factors[row]
      let start = output.baseAddress! + row * length
      for column in 0..<length { start[column] *= factor }
    }
  }

  private func rowFactors(_ scale: LazyTensor, _ rows: Range<Int>) throws -> [Float] {
    guard scale.shape.count == 2 else { return Array(try scale.decoded()[rows]) }
    return try [Float](unsafeUninitializedCapacity: rows.count) { buffer, initialized in
      try scale.decode(rows: rows, into: UnsafeMutableBufferPointer(rebasing: buffer[..<rows.count]))
      initialized = rows.count
    }
  }
}
