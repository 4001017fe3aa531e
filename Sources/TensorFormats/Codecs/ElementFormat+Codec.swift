extension ElementFormat {
  /// Converts rows of this format to 32-bit floats and back; nil for formats whose bytes this package only carries.
  public var codec: (any RowCodec)? { Self.codecs[self] }

  private static let codecs: [ElementFormat: any RowCodec] = {
    let all: [any RowCodec] = [
      BooleanCodec(),
      IntegerCodec<UInt8>(.u8), IntegerCodec<Int8>(.i8), IntegerCodec<UInt16>(.u16), IntegerCodec<Int16>(.i16),
      IntegerCodec<UInt32>(.u32), IntegerCodec<Int32>(.i32), IntegerCodec<UInt64>(.u64), IntegerCodec<Int64>(.i64),
      Float8E4M3Codec(), Float8E5M2Codec(), Float8E8M0Codec(), F16Codec(), BF16Codec(), F32Codec(), F64Codec(),
      Q4_0Codec(), Q4_1Codec(), Q8_0Codec(),
    ]
    return Dictionary(uniqueKeysWithValues: all.map { ($0.format, $0) })
  }()
}

extension RowCodec {
  /// Stops a caller whose buffers do not fit each other, before a kernel runs out of one; returns the number of blocks.
  func checkedBlockCount(elements: Int, bytes: Int) -> Int {
    let needed = format.byteCount(of: elements)
    precondition(needed == bytes, "\(format) row of \(elements) elements does not fit \(bytes) bytes")
    return elements / format.blockElements
  }
}
