/// E4M3 as `Float8E4M3` describes it. Encoding saturates.
struct Float8E4M3Codec: RowCodec {
  let format = ElementFormat.f8E4M3

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = bytes.baseAddress, let y = values.baseAddress else { return }
    convertE4M3ToF32(count, x, y)
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = values.baseAddress, let y = bytes.baseAddress else { return }
    convertF32ToE4M3(count, x, y, dividingBy: 1)
  }
}
