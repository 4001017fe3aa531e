/// GGML's Q4_0: a scale and 32 four-bit codes, values `d * (q - 8)`. Encodes the bytes of ggml's `quantize_row_q4_0_ref`.
///
/// The element of largest magnitude gets the code 0, so the scale carries its sign, negated. A block that holds a NaN gets the scale
/// NaN and zero codes, one that holds an infinity an infinite scale: broken tensors stay visibly broken.
struct Q4_0Codec: RowCodec {
  let format = ElementFormat.q4_0

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = bytes.baseAddress, let y = values.baseAddress else { return }
    convertQ4_0ToF32(count, x, y)
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    for block in 0..<checkedBlockCount(elements: values.count, bytes: bytes.count) {
      let x = UnsafeBufferPointer(rebasing: values[32 * block..<32 * block + 32])
      let y = UnsafeMutableRawBufferPointer(rebasing: bytes[18 * block..<18 * block + 18])
      encodeBlock(x, into: y)
    }
  }

  // x: 32 numbers    y: 18 bytes
  private func encodeBlock(_ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableRawBufferPointer) {
    var extreme: Float = 0
    for value in x where !(value.magnitude <= extreme.magnitude) {
      extreme = value
      if value.isNaN { break }
    }
    let scale = extreme / -8
    let inverse: Float = scale == 0 ? 0 : 1 / scale
    y.storeBytes(of: scale.isNaN ? 0x7E00 : Float16Bits.encode(scale), as: UInt16.self)
    for j in 0..<16 {
      let low = fourBits(x[j] * inverse + 8.5)
      let high = fourBits(x[j + 16] * inverse + 8.5)
      y[2 + j] = low | high << 4
    }
  }
}

/// The integer part of a number from 0 to 15, larger ones 15; 0 for infinities and NaN, which occur when a scale has no inverse.
@inline(__always)
func fourBits(_ value: Float) -> UInt8 {
  guard value >= 0, value < 128 else { return 0 }
  return min(15, UInt8(value))
}
