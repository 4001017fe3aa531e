/// IEEE binary16. Encoding what is too large gives infinity; NaNs keep sign and upper payload and become quiet.
struct F16Codec: RowCodec {
  let format = ElementFormat.f16

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = bytes.baseAddress, let y = values.baseAddress else { return }
    convertF16ToF32(count, x, y)
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = values.baseAddress, let y = bytes.baseAddress else { return }
    convertF32ToF16(count, x, y)
  }
}
