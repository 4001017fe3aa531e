/// IEEE binary64. Decoding rounds to nearest even; magnitudes beyond F32 become infinite.
struct F64Codec: RowCodec {
  let format = ElementFormat.f64

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    for i in values.indices { values[i] = Float(bytes.loadUnaligned(fromByteOffset: 8 * i, as: Double.self)) }
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    for i in values.indices { bytes.storeBytes(of: Double(values[i]), toByteOffset: 8 * i, as: Double.self) }
  }
}
