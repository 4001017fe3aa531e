/// Converts rows of stored elements to 32-bit floats and back.
///
/// A codec works on whole rows: one call through the existential serves thousands of elements, which keeps it at memory speed.
/// Counts are multiples of `format.blockElements`, and the bytes are exactly `format.byteCount(of: values.count)`; anything else
/// is a mistake of the caller and traps. The bytes need no alignment. The contents may be anything: no pattern traps.
public protocol RowCodec: Sendable {
  var format: ElementFormat { get }

  /// Decodes `values.count` elements from `bytes`.
  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>)

  /// Encodes `values.count` elements into `bytes`, rounding once, to nearest even unless the format says otherwise.
  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer)
}
