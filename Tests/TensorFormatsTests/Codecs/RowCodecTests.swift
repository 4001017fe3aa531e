import Testing

import TensorFormats

@Suite struct RowCodecTests {
  private static let decodable = ElementFormat.all.filter { $0.codec != nil }

  @Test func theseFormatsHaveCodecs() {
    #expect(
      Set(Self.decodable.map(\.name)) == [
        "BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F16", "BF16",
        "F32", "F64",
        "Q4_0", "Q4_1", "Q8_0",
      ])
    for format in Self.decodable { #expect(format.codec!.format == format) }
  }

  @Test(arguments: decodable)
  func anEmptyRowIsNoWork(format: ElementFormat) {
    let codec = format.codec!
    codec.decode(UnsafeRawBufferPointer(start: nil, count: 0), into: UnsafeMutableBufferPointer(start: nil, count: 0))
    codec.encode(UnsafeBufferPointer(start: nil, count: 0), into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
  }

  @Test(arguments: decodable)
  func noNumberTraps(format: ElementFormat) {
    let count = CodecFixture.scalars.count / format.blockElements * format.blockElements
    _ = format.codec!.encoded(Array(CodecFixture.scalars[..<count]))
  }

  @Test(arguments: decodable)
  func noBytesTrap(format: ElementFormat) {
    var generator = LinearCongruentialGenerator(state: 3)
    let bytes = (0..<40 * format.blockBytes).map { _ in UInt8(generator.next() >> 24) }
    _ = format.codec!.decoded(bytes)
  }

  /// What is decoded encodes to the same bytes, for formats in which each value has one code.
  @Test(arguments: [ElementFormat.f32, .f64, .bf16, .f16, .f8E4M3, .f8E5M2, .i8, .u8, .i16, .u16, .bool])
  func decodedValuesEncodeToTheSameBytes(format: ElementFormat) {
    let codec = format.codec!
    let values: [Float] =
      format.kind == .float ? CodecFixture.scalars.filter { !$0.isNaN } : (0..<200).map { Float($0) }
    let bytes = codec.encoded(values)
    #expect(codec.encoded(codec.decoded(bytes)) == bytes)
  }

  @Test func everyPatternDecodesAsItsPeersSay() throws {
    let everyPattern = littleEndianBytes((0...UInt16.max).map { $0 })
    for (name, format) in [("bf16", ElementFormat.bf16), ("f16", .f16)] {
      let expected = CodecFixture.manifest["every_pattern"]![name]!
      let values = format.codec!.decoded(everyPattern)
      #expect(checksum(of: values.map(\.canonicalBits)) == expected["f32"]!.string)
      #expect(checksum(of: ElementFormat.f8E4M3.codec!.encoded(values)) == expected["e4m3_saturate"]!.string)
      #expect(checksum(of: ElementFormat.f8E5M2.codec!.encoded(values)) == expected["e5m2"]!.string)
      let codes = values.map { Float8E4M3.encode($0, overflow: .notANumber) }
      #expect(checksum(of: codes) == expected["e4m3_not_a_number"]!.string)
    }
  }

  @Test func encodesBF16AsGGUFDoes() throws {
    #expect(ElementFormat.bf16.codec!.encoded(CodecFixture.scalars) == (try CodecFixture.bytes("scalars.bf16")))
  }

  @Test func encodesF16AsNumpyDoes() throws {
    let codes = elements(ElementFormat.f16.codec!.encoded(CodecFixture.scalars), of: UInt16.self)
    let canonical = codes.map { UInt16(ReferenceFloatFormat.f16.canonical(Int($0))) }
    #expect(canonical == (try CodecFixture.elements("scalars.f16", of: UInt16.self)))
  }

  @Test(arguments: [ElementFormat.q8_0, .q4_0, .q4_1])
  func encodesBlocksAsGGMLDoes(format: ElementFormat) throws {
    let values = try CodecFixture.floats("blocks.f32")
    let bytes = format.codec!.encoded(values)
    let expected = try CodecFixture.bytes("blocks.\(format.name.lowercased())")
    #expect(bytes.count == expected.count)
    for start in stride(from: 0, to: bytes.count, by: format.blockBytes) where start < expected.count {
      let range = start..<start + format.blockBytes
      #expect(bytes[range] == expected[range], "block \(start / format.blockBytes)")
    }
  }

  @Test(arguments: [ElementFormat.q8_0, .q4_0, .q4_1])
  func decodesBlocksAsGGMLDoes(format: ElementFormat) throws {
    let name = format.name.lowercased()
    let sums = CodecFixture.manifest["blocks"]!
    let values = format.codec!.decoded(try CodecFixture.bytes("blocks.\(name)"))
    #expect(checksum(of: values.map(\.canonicalBits)) == sums[name]!.string)
    var generator = LinearCongruentialGenerator(state: 7)
    let arbitrary = (0..<64 * format.blockBytes).map { _ in UInt8(generator.next() >> 24) }
    let patterns = format.codec!.decoded(arbitrary).map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern }
    #expect(checksum(of: patterns) == sums["\(name)_arbitrary"]!.string)
  }

  /// A tensor with a NaN or an infinity must not come out as numbers.
  @Test(arguments: [ElementFormat.q8_0, .q4_0, .q4_1], [Float.nan, -.nan, .infinity, -.infinity])
  func brokenBlocksStayBroken(format: ElementFormat, broken: Float) {
    for position in 0..<32 {
      var block = (0..<32).map { Float($0) - 15.5 }
      block[position] = broken
      let bytes = format.codec!.encoded(block)
      #expect(!format.codec!.decoded(bytes)[position].isFinite)
      if broken.isNaN {
        let scales = format == .q4_1 ? 4 : 2
        #expect(Array(bytes[..<scales]) == Array([0x00, 0x7E, 0x00, 0x7E][..<scales]))
        #expect(bytes[scales...].allSatisfy { $0 == 0 })
      }
    }
  }

  @Test func f32KeepsEveryBit() {
    let patterns = CodecFixture.scalars.map(\.bitPattern)
    #expect(elements(ElementFormat.f32.codec!.encoded(CodecFixture.scalars), of: UInt32.self) == patterns)
    #expect(ElementFormat.f32.codec!.decoded(littleEndianBytes(patterns)).map(\.bitPattern) == patterns)
  }

  @Test func f64RoundsToTheNearestFloat() {
    let doubles: [Double] = [0.1, -0.1, 1e39, -1e39, 1e-46, .nan, .infinity, 1 + 0x1p-24, 1 + 0x1.8p-23, 16_777_217]
    let values = ElementFormat.f64.codec!.decoded(littleEndianBytes(doubles.map(\.bitPattern)))
    #expect(values.map(\.canonicalBits) == doubles.map { Float($0).canonicalBits })
  }

  @Test(
    arguments: [
      (.i8, [-129, -128, 127, 127.5, -0.5, 0.5, 1.5, .nan, .infinity], [-128, -128, 127, 127, 0, 0, 2, 0, 127]),
      (.u8, [-1, 255, 256, 2.5, .nan, -.infinity], [0, 255, 255, 2, 0, 0]),
      (.i16, [-40000, 32767, 1e9, 3.5], [-32768, 32767, 32767, 4]),
      (.u16, [-1, 65535, 1e9], [0, 65535, 65535]),
      (.i32, [-1e10, 16_777_216, 0x1p31], [-0x1p31, 16_777_216, 0x1p31]),
      (.u32, [-1, 0x1p32, 3e9], [0, 0x1p32, 3e9]),
      (.i64, [-1e30, 0x1p63, 0x1p62], [-0x1p63, 0x1p63, 0x1p62]),
      (.u64, [-1, 1e30, 0x1p63], [0, 0x1p64, 0x1p63]),
      (.bool, [0, -0.0, 2, .nan, -1], [0, 0, 1, 1, 1]),
    ] as [(ElementFormat, [Float], [Float])])
  func integersRoundToEvenAndSaturate(format: ElementFormat, values: [Float], expected: [Float]) {
    let codec = format.codec!
    #expect(codec.decoded(codec.encoded(values)) == expected)
  }

  @Test func integersAreLittleEndianAndSigned() {
    #expect(ElementFormat.i16.codec!.decoded([0xFE, 0xFF, 0x00, 0x01]) == [-2, 256])
    #expect(ElementFormat.u16.codec!.decoded([0xFE, 0xFF]) == [65534])
    #expect(ElementFormat.i64.codec!.decoded([0, 0, 0, 0, 0, 0, 0, 0x80]) == [-0x1p63])
    #expect(ElementFormat.bool.codec!.decoded([0, 1, 2, 255]) == [0, 1, 1, 1])
  }
}
