/// bfloat16. NaNs keep sign and upper payload; encoding makes them quiet.
struct BF16Codec: RowCodec {
  let format = ElementFormat.bf16

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = bytes.baseAddress, let y = values.baseAddress else { return }
    convertBF16ToF32(count, x, y)
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = values.baseAddress, let y = bytes.baseAddress else { return }
    convertF32ToBF16(count, x, y)
  }
}
