/// Converts rows of stored elements to 32-bit floats and back.
///
/// A codec works on whole rows: one call through the existential serves thousands of elements, which keeps it at memory speed.
/// Counts are multiples of `format.blockElements`. Buffers need no alignment beyond that of their own element.
public protocol RowCodec: Sendable {
  var format: ElementFormat { get }

  /// Decodes `values.count` elements from `bytes`.
  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>)

  /// Encodes `values.count` elements into `bytes`, rounding once, to nearest even unless the format says otherwise.
  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer)
}
