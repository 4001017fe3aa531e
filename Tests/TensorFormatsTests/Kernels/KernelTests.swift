import Testing

import TensorFormats

/// Every kernel at every instruction level this processor has, against the naive definition: hence all levels have the same bits.
@Suite struct KernelTests {
  private typealias Kernel = (Int, UnsafeRawPointer, UnsafeMutableRawPointer, InstructionLevel) -> Void
  private static let everyPattern = (0...UInt16.max).map { $0 }

  @Test(arguments: InstructionLevel.available)
  func decodesEveryBF16Pattern(level: InstructionLevel) {
    let values: [Float] = run(Self.everyPattern, level) { convertBF16ToF32($0, $1, $2, at: $3) }
    let differing = zip(Self.everyPattern, values).filter { $1.bitPattern != UInt32($0) << 16 }
    #expect(differing.isEmpty)
  }

  @Test(arguments: InstructionLevel.available)
  func decodesEveryF16Pattern(level: InstructionLevel) {
    let values: [Float] = run(Self.everyPattern, level) { convertF16ToF32($0, $1, $2, at: $3) }
    let differing = zip(Self.everyPattern, values).filter { pattern, value in
      let magnitude = pattern & 0x7FFF
      let sign = UInt32(pattern & 0x8000) << 16
      if magnitude >= 0x7C00 {
        let quiet: UInt32 = magnitude > 0x7C00 ? 0x40_0000 : 0
        return value.bitPattern != sign | 0x7F80_0000 | quiet | UInt32(magnitude & 0x3FF) << 13
      }
      return value.bitPattern != ReferenceFloatFormat.f16.decode(Int(pattern)).bitPattern
    }
    #expect(differing.isEmpty)
    #expect(zip(Self.everyPattern, values).allSatisfy { Float16Bits.decode($0).bitPattern == $1.bitPattern })
  }

  @Test(arguments: InstructionLevel.available)
  func encodesBF16(level: InstructionLevel) {
    let codes: [UInt16] = run(CodecFixture.scalars, level) { convertF32ToBF16($0, $1, $2, at: $3) }
    let expected = CodecFixture.scalars.map { value -> UInt16 in
      // NaNs: sign and upper payload, made quiet.
      if value.isNaN { return UInt16(value.bitPattern >> 16) | 0x40 }
      return UInt16(ReferenceFloatFormat.bf16.encode(value))
    }
    #expect(codes == expected)
    #expect(CodecFixture.scalars.map(BFloat16Bits.encode) == expected)
  }

  @Test(arguments: InstructionLevel.available)
  func encodesF16(level: InstructionLevel) {
    let codes: [UInt16] = run(CodecFixture.scalars, level) { convertF32ToF16($0, $1, $2, at: $3) }
    let expected = CodecFixture.scalars.map { value -> UInt16 in
      let code = UInt16(ReferenceFloatFormat.f16.encode(value))
      return value.isNaN ? code | UInt16(value.bitPattern >> 13 & 0x3FF) : code
    }
    #expect(codes == expected)
    #expect(CodecFixture.scalars.map(Float16Bits.encode) == expected)
  }

  @Test(arguments: InstructionLevel.available)
  func decodesEveryE4M3Code(level: InstructionLevel) {
    let codes = (0...UInt8.max).map { $0 }
    let values: [Float] = run(codes, level) { convertE4M3ToF32($0, $1, $2, at: $3) }
    #expect(values.map(\.bitPattern) == Float8E4M3.values.map(\.bitPattern))
  }

  @Test(arguments: InstructionLevel.available)
  func encodesE4M3WithADivisor(level: InstructionLevel) {
    for divisor: Float in [1, 0.0031, 1 / 3, -7, 0x1p-100, 0x1p-140, 1e30, .infinity] {
      let codes: [UInt8] = run(CodecFixture.scalars, level) {
        convertF32ToE4M3($0, $1, $2, dividingBy: divisor, at: $3)
      }
      let expected = CodecFixture.scalars.map { Float8E4M3.encode($0 / divisor, overflow: .saturate) }
      #expect(codes == expected, "divided by \(divisor)")
    }
  }

  @Test(arguments: InstructionLevel.available)
  func decodesBlocksOfAnyBytes(level: InstructionLevel) {
    let formats: [(ElementFormat, Kernel)] = [
      (.q8_0, { convertQ8_0ToF32($0, $1, $2, at: $3) }),
      (.q4_0, { convertQ4_0ToF32($0, $1, $2, at: $3) }),
      (.q4_1, { convertQ4_1ToF32($0, $1, $2, at: $3) }),
    ]
    for (format, kernel) in formats {
      var generator = LinearCongruentialGenerator(state: 99)
      let bytes = (0..<97 * format.blockBytes).map { _ in UInt8(generator.next() >> 24) }
      var values = [Float](repeating: 0, count: 97 * 32)
      values.withUnsafeMutableBytes { kernel(97, bytes, $0.baseAddress!, level) }
      let expected = ReferenceBlocks.decode(format, bytes)
      let differing = zip(values, expected).filter { $0 != $1 && !($0.isNaN && $1.isNaN) }
      #expect(differing.isEmpty, "\(format)")
    }
  }

  @Test(arguments: InstructionLevel.available)
  func encodesQ8_0Blocks(level: InstructionLevel) throws {
    var values = try CodecFixture.floats("blocks.f32")
    for broken: Float in [.nan, -.nan, .infinity, -.infinity, .signalingNaN] {
      for position in [0, 13, 31] {
        var block = (0..<32).map { Float($0) - 15.5 }
        block[position] = broken
        values += block
      }
    }
    let blocks = values.count / 32
    var bytes = [UInt8](repeating: 0, count: 34 * blocks)
    bytes.withUnsafeMutableBytes { convertF32ToQ8_0(blocks, values, $0.baseAddress!, at: level) }
    #expect(bytes == ReferenceBlocks.encodeQ8_0(values))
  }

  @Test(arguments: InstructionLevel.available)
  func findsTheAbsoluteMaximum(level: InstructionLevel) {
    for count in [0, 1, 15, 63, 64, 65, 127, 200] {
      for peak in stride(from: 0, to: count, by: 7) {
        var generator = LinearCongruentialGenerator(state: UInt32(count))
        var row = (0..<count).map { _ in generator.nextFloat() }
        row[peak] = peak.isMultiple(of: 2) ? -3 : 3
        let maximum = row.withUnsafeBufferPointer { absoluteMaximum(of: $0, at: level) }
        #expect(maximum == AbsoluteMaximum(value: 3))
      }
    }
  }

  /// Lengths that leave a part of a vector, at addresses of any alignment: all is converted and nothing beyond.
  @Test(arguments: InstructionLevel.available)
  func convertsRowsOfAnyLengthAndAlignment(level: InstructionLevel) {
    let kernels: [(name: String, from: Int, to: Int, run: Kernel)] = [
      ("BF16 to F32", 2, 4, { convertBF16ToF32($0, $1, $2, at: $3) }),
      ("F32 to BF16", 4, 2, { convertF32ToBF16($0, $1, $2, at: $3) }),
      ("F16 to F32", 2, 4, { convertF16ToF32($0, $1, $2, at: $3) }),
      ("F32 to F16", 4, 2, { convertF32ToF16($0, $1, $2, at: $3) }),
      ("E4M3 to F32", 1, 4, { convertE4M3ToF32($0, $1, $2, at: $3) }),
      ("F32 to E4M3", 4, 1, { convertF32ToE4M3($0, $1, $2, dividingBy: 3, at: $3) }),
    ]
    let longest = 81
    for kernel in kernels {
      var generator = LinearCongruentialGenerator(state: 5)
      let bytes = (0..<longest * kernel.from).map { _ in UInt8(generator.next() >> 25) }
      let whole = convert(bytes, count: longest, offset: 0, kernel.to, level, kernel.run)
      for count in [0, 1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 80, longest] {
        let part = Array(bytes[..<(count * kernel.from)])
        let result = convert(part, count: count, offset: 1 + count % 3, kernel.to, level, kernel.run)
        #expect(result == Array(whole[..<(count * kernel.to)]), "\(kernel.name), \(count) elements")
      }
    }
  }

  // MARK: Calling kernels on arrays

  private func run<Source, Target: ExpressibleByIntegerLiteral>(
    _ source: [Source], _ level: InstructionLevel, _ kernel: Kernel
  ) -> [Target] {
    var target = [Target](repeating: 0, count: source.count)
    source.withUnsafeBytes { x in
      target.withUnsafeMutableBytes { y in kernel(source.count, x.baseAddress!, y.baseAddress!, level) }
    }
    return target
  }

  /// Converts at an odd address between guard bytes, and checks them.
  private func convert(
    _ bytes: [UInt8], count: Int, offset: Int, _ size: Int, _ level: InstructionLevel, _ kernel: Kernel
  ) -> [UInt8] {
    let source = [UInt8](repeating: 0xEE, count: offset) + bytes + [0xEE]
    var target = [UInt8](repeating: 0xCC, count: offset + count * size + 64)
    source.withUnsafeBytes { x in
      target.withUnsafeMutableBytes { y in kernel(count, x.baseAddress! + offset, y.baseAddress! + offset, level) }
    }
    #expect(target[..<offset].allSatisfy { $0 == 0xCC })
    #expect(target[(offset + count * size)...].allSatisfy { $0 == 0xCC })
    return Array(target[offset..<offset + count * size])
  }
}
