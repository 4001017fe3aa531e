internal import ModelCheckpoints
internal import Synchronization
internal import TensorFormats

/// Quantizes one weight to E4M3 with a scale for each row: one node with two outputs, codes and scales.
///
/// The reduction over a row (its largest magnitude) is made once and kept, so scales and codes agree whoever is asked first.
final class ChannelQuantizer: Sendable {
  private let weight: Weight
  private let name: String
  private let rounding: QuantizationScheme.Rounding
  private let memo = Mutex<[Float]?>(nil)

  init(_ weight: Weight, name: String, rounding: QuantizationScheme.Rounding) {
    self.weight = weight
    self.name = name
    self.rounding = rounding
  }

  /// Values of E4M3 with shape `(out, in)` and BF16 scales of shape `(out, 1)`.
  var quantized: Weight {
    let rows = weight.values.rowCount
    return Weight(
      LazyTensor(format: .f8E4M3, shape: weight.shape, source: Codes(quantizer: self)),
      scale: LazyTensor(format: .bf16, shape: [rows, 1], source: Scales(quantizer: self)))
  }

  // scale = bf16(max|w| ÷ 448); a row of zeros gets the epsilon of BF16, as in compressed-tensors.
  fileprivate func scales() throws -> [Float] {
    if let scales = memo.withLock({ $0 }) { return scales }
    let values = weight.values
    let scales = Mutex([Float](repeating: 0, count: values.rowCount))
    try parallelChunks(of: values.rowCount, size: values.panelRowCount) { rows in
      let part = try self.scales(of: rows)
      scales.withLock { $0.replaceSubrange(rows, with: part) }
    }
    let result = scales.withLock { $0 }
    memo.withLock { $0 = result }
    return result
  }

  private func scales(of rows: Range<Int>) throws -> [Float] {
    let length = weight.values.rowLength
    return try withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * length) { values in
      try weight.decode(rows: rows, into: values)
      return try rows.map { row in
        let start = (row - rows.lowerBound) * length
        let maximum = absoluteMaximum(of: UnsafeBufferPointer(rebasing: values[start..<start + length]))
        guard maximum.isFinite else {
          throw CompressionError(.nonFiniteWeight, "tensor '\(name)' has a value in row \(row) that is not finite")
        }
        let scale = BFloat16Bits.rounded(maximum.value / Float8E4M3.maximum)
        return scale == 0 ? 0.0078125 : scale
      }
    }
  }

  fileprivate func writeCodes(of rows: Range<Int>, into codes: UnsafeMutableRawBufferPointer) throws {
    let scales = try scales()
    let length = weight.values.rowLength
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * length) { values in
      try weight.decode(rows: rows, into: values)
      for row in rows {
        let start = (row - rows.lowerBound) * length
        encode(
          UnsafeMutableBufferPointer(rebasing: values[start..<start + length]), scale: scales[row],
          into: UnsafeMutableRawBufferPointer(rebasing: codes[start..<start + length]))
      }
    }
  }

  private func encode(
    _ row: UnsafeMutableBufferPointer<Float>, scale: Float, into codes: UnsafeMutableRawBufferPointer
  ) {
    switch rounding {
    case .single: Float8E4M3.encode(UnsafeBufferPointer(row), dividingBy: scale, into: codes)
    case .compat:
      for index in row.indices { row[index] = BFloat16Bits.rounded(row[index] / scale) }
      Float8E4M3.encode(UnsafeBufferPointer(row), dividingBy: 1, into: codes)
    }
  }
}

private struct Codes: TensorSource {
  let quantizer: ChannelQuantizer

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try quantizer.withCodes(rows, body)
  }
}

private struct Scales: TensorSource {
  let quantizer: ChannelQuantizer

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try quantizer.withScales(rows, body)
  }
}

extension ChannelQuantizer {
  fileprivate func withCodes(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try withUnsafeTemporaryAllocation(byteCount: rows.count * weight.values.rowLength, alignment: 64) { codes in
      try writeCodes(of: rows, into: codes)
      try body(UnsafeRawBufferPointer(codes))
    }
  }

  fileprivate func withScales(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let codec = ElementFormat.bf16.codec!
    try Array(scales()[rows]).withUnsafeBufferPointer { values in
      try withUnsafeTemporaryAllocation(byteCount: 2 * rows.count, alignment: 2) { bytes in
        codec.encode(values, into: bytes)
        try body(UnsafeRawBufferPointer(bytes))
      }
    }
  }
}
