/// IEEE binary32: a copy, NaN payloads included.
struct F32Codec: RowCodec {
  let format = ElementFormat.f32

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    bytes.copyMemory(from: UnsafeRawBufferPointer(values))
  }
}
