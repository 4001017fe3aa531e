import TensorFormats

/// The GGML block formats as the C sources describe them, element by element.
enum ReferenceBlocks {
  static func decode(_ format: ElementFormat, _ bytes: [UInt8]) -> [Float] {
    stride(from: 0, to: bytes.count, by: format.blockBytes).flatMap { start -> [Float] in
      let block = Array(bytes[start..<start + format.blockBytes])
      let scale = half(block, 0)
      switch format {
      case .q8_0: return block[2...].map { Float(Int8(bitPattern: $0)) * scale }
      case .q4_0: return nibbles(block[2...]).map { Float($0 - 8) * scale }
      case .q4_1:
        let minimum = half(block, 2)
        return nibbles(block[4...]).map { Float($0) * scale + minimum }
      default: fatalError("no reference for \(format)")
      }
    }
  }

  static func encodeQ8_0(_ values: [Float]) -> [UInt8] {
    stride(from: 0, to: values.count, by: 32).flatMap { start -> [UInt8] in
      let block = values[start..<start + 32]
      let hasNaN = block.contains(where: \.isNaN)
      let scale = block.map(\.magnitude).max()! / 127
      let inverse: Float = scale == 0 ? 0 : 1 / scale
      let isUsable = !hasNaN && scale.isFinite && inverse.isFinite
      let stored = hasNaN ? 0x7E00 : UInt16(ReferenceFloatFormat.f16.encode(scale))
      let codes = block.map { value -> UInt8 in
        isUsable ? UInt8(bitPattern: Int8((value * inverse).rounded(.toNearestOrAwayFromZero))) : 0
      }
      return [UInt8(stored & 0xFF), UInt8(stored >> 8)] + codes
    }
  }

  private static func half(_ block: [UInt8], _ offset: Int) -> Float {
    let code = Int(block[offset]) | Int(block[offset + 1]) << 8
    let magnitude = code & 0x7FFF
    if magnitude > 0x7C00 { return .nan }
    if magnitude == 0x7C00 { return code == magnitude ? .infinity : -.infinity }
    return ReferenceFloatFormat.f16.decode(code)
  }

  private static func nibbles(_ bytes: ArraySlice<UInt8>) -> [Int] {
    bytes.map { Int($0 & 0xF) } + bytes.map { Int($0 >> 4) }
  }
}
