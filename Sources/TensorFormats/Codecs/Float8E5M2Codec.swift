/// E5M2 as `Float8E5M2` describes it. Encoding what is too large gives infinity.
struct Float8E5M2Codec: RowCodec {
  let format = ElementFormat.f8E5M2

  func decode(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    Float8E5M2.values.withUnsafeBufferPointer { table in
      for i in values.indices { values[i] = table[Int(bytes[i])] }
    }
  }

  func encode(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
    _ = checkedBlockCount(elements: values.count, bytes: bytes.count)
    for i in values.indices { bytes[i] = Float8E5M2.encode(values[i]) }
  }
}
