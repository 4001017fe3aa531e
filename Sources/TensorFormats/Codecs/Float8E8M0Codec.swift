/// E8M0 as `Float8E8M0` describes it.
struct Float8E8M0Codec: RowCodec {
  let format = ElementFormat.f8E8M0

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    for i in values.indices { values[i] = Float8E8M0.decode(bytes[i]) }
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    for i in values.indices { bytes[i] = Float8E8M0.encode(values[i]) }
  }
}
