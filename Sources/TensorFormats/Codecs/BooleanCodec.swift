/// One byte a truth value. Any byte but 0 decodes to 1, and any number but 0 (NaN too) is encoded as 1.
struct BooleanCodec: RowCodec {
  let format = ElementFormat.bool

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    for i in values.indices { values[i] = bytes[i] == 0 ? 0 : 1 }
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    for i in values.indices { bytes[i] = values[i] == 0 ? 0 : 1 }
  }
}
