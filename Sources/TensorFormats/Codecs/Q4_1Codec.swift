/// GGML's Q4_1: scale, minimum and 32 four-bit codes, values `d * q + m`. Encodes the bytes of ggml's `quantize_row_q4_1_ref`.
///
/// A block that holds a NaN gets NaN as scale and minimum, and zero codes: broken tensors stay visibly broken.
struct Q4_1Codec: RowCodec {
  let format = ElementFormat.q4_1

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = bytes.baseAddress, let y = values.baseAddress else { return }
    convertQ4_1ToF32(count, x, y)
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    for block in 0..<checkedBlockCount(elements: values.count, bytes: bytes.count) {
      let x = UnsafeBufferPointer(rebasing: values[32 * block..<32 * block + 32])
      let y = UnsafeMutableRawBufferPointer(rebasing: bytes[20 * block..<20 * block + 20])
      encodeBlock(x, into: y)
    }
  }

  // x: 32 numbers    y: 20 bytes
  private func encodeBlock(_ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableRawBufferPointer) {
    var minimum = x[0]
    var maximum = x[0]
    var hasNaN = false
    for value in x {
      if value < minimum { minimum = value }
      if value > maximum { maximum = value }
      if value.isNaN { hasNaN = true }
    }
    let scale = hasNaN ? .nan : (maximum - minimum) / 15
    let inverse: Float = scale == 0 ? 0 : 1 / scale
    y.storeBytes(of: scale.isNaN ? 0x7E00 : Float16Bits.encode(scale), as: UInt16.self)
    y.storeBytes(of: hasNaN ? 0x7E00 : Float16Bits.encode(minimum), toByteOffset: 2, as: UInt16.self)
    for j in 0..<16 {
      let low = fourBits((x[j] - minimum) * inverse + 0.5)
      let high = fourBits((x[j + 16] - minimum) * inverse + 0.5)
      y[4 + j] = low | high << 4
    }
  }
}
