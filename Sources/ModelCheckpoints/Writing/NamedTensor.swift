internal import TensorFormats

/// A tensor under the name it gets in a file.
struct NamedTensor {
  let name: String
  let tensor: LazyTensor

  var info: TensorInfo { TensorInfo(name: name, format: tensor.format, shape: tensor.shape) }
}

extension Weight {
  /// The weight without codes: values times scales, in a plain format.
  var plain: LazyTensor {
    guard scale != nil else { return values }
    return LazyTensor(format: .f32, shape: shape, source: ScaledTensor(weight: self))
  }
}

/// Codes times scales, as 32-bit floats.
private struct ScaledTensor: TensorSource {
  let weight: Weight

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * weight.values.rowLength) { values in
      try weight.decode(rows: rows, into: values)
      try body(UnsafeRawBufferPointer(values))
    }
  }
}
