public import ModelArchitectures

/// Where a network takes its weights from. Calls come from several threads at once.
public protocol WeightSource: Sendable {
  /// The shape of a weight, as in a Hugging Face file: a linear weight is `(out, in)`.
  func shape(of key: WeightKey) throws -> [Int]

  /// Writes `rows` of the first dimension as F32; of a vector, these values of it.
  ///
  /// - Parameter values: exactly `rows.count` times the product of the other dimensions.
  func decode(_ key: WeightKey, rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws

  /// What multiplies with a linear weight in place of its decoded values; nil, the default, to decode it.
  func linearOperator(for key: WeightKey) throws -> (any LinearOperator)?
}

extension WeightSource {
  public func linearOperator(for key: WeightKey) throws -> (any LinearOperator)? { nil }
}
