/// GGML's Q8_0: a scale and 32 signed bytes. Encodes the bytes of ggml's `quantize_row_q8_0_ref`.
///
/// A block that holds a NaN gets the scale NaN and zero codes, one that holds an infinity the scale infinity: both decode to NaN, so
/// that a broken tensor stays visibly broken.
struct Q8_0Codec: RowCodec {
  let format = ElementFormat.q8_0

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = bytes.baseAddress, let y = values.baseAddress else { return }
    convertQ8_0ToF32(count, x, y)
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    let count = checkedBlockCount(elements: values.count, bytes: bytes.count)
    guard let x = values.baseAddress, let y = bytes.baseAddress else { return }
    convertF32ToQ8_0(count, x, y)
  }
}
