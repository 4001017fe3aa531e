public import TensorFormats

/// A logical weight: values, what they must be multiplied with when they are codes, and what a runtime needs beside them.
public struct Weight: Sendable {
  /// In Hugging Face orientation: a linear weight is `(out, in)`.
  public var values: LazyTensor
  /// Multipliers of the values; nil if these are plain numbers.
  public var scale: ScaleGrid?
  /// Of a quantized linear weight: the calibrated multiplier of its quantized input, one number of shape `(1)`.
  public var inputScale: LazyTensor?
  /// Of a key or value projection: the calibrated multiplier of what it gives as the key-value cache keeps it, shape `(1)`.
  public var cacheScale: LazyTensor?
  /// What a cut left before it was rounded into `values` again, F32; nil where nothing was rounded. A conversion starts from here, so that
  /// numbers are rounded once.
  package var unrounded: LazyTensor?

  public init(_ values: LazyTensor, scale: ScaleGrid? = nil) {
    self.values = values
    self.scale = scale
  }

  /// The same in the finest numbers that there are.
  package var finest: Weight { unrounded.map { Weight($0) } ?? self }

  public var shape: [Int] { values.shape }
  public var format: ElementFormat { values.format }

  /// Bytes of values and all scales.
  public var byteCount: Int {
    values.byteCount + (scale?.byteCount ?? 0) + (inputScale?.byteCount ?? 0) + (cacheScale?.byteCount ?? 0)
  }

  /// The numbers that `rows` stand for, as 32-bit floats.
  public func decode(rows: Range<Int>, into output: UnsafeMutableBufferPointer<Float>) throws {
    try values.decode(rows: rows, into: output)
    try scale?.multiply(output, rows: rows, length: values.rowLength)
  }
}
