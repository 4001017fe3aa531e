/// Little-endian integers as values. Decoding rounds to nearest even (exact up to 24 bits); encoding rounds to nearest even and
/// saturates, and NaN becomes 0.
struct IntegerCodec<Element: FixedWidthInteger & BitwiseCopyable & Sendable>: RowCodec {
  let format: ElementFormat

  init(_ format: ElementFormat) { self.format = format }

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    let stride = MemoryLayout<Element>.stride
    for i in values.indices { values[i] = Float(bytes.loadUnaligned(fromByteOffset: stride * i, as: Element.self)) }
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    let stride = MemoryLayout<Element>.stride
    for i in values.indices {
      bytes.storeBytes(of: Self.nearest(values[i]), toByteOffset: stride * i, as: Element.self)
    }
  }

  private static func nearest(_ value: Float) -> Element {
    if value.isNaN { return 0 }
    let rounded = value.rounded(.toNearestOrEven)
    if let exact = Element(exactly: rounded) { return exact }
    return rounded < 0 ? .min : .max
  }
}
