/// bfloat16 as bit patterns: the upper half of a 32-bit float.
package enum BFloat16Bits {
  /// Exact for every pattern, NaN payloads included.
  @inline(__always)
  package static func decode(_ pattern: UInt16) -> Float { Float(bitPattern: UInt32(pattern) << 16) }

  /// Rounds to nearest even; NaNs keep sign and upper payload and become quiet.
  @inline(__always)
  package static func encode(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if bits & 0x7FFF_FFFF > 0x7F80_0000 { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  }

  /// The nearest value that BF16 can hold.
  package static func rounded(_ value: Float) -> Float { decode(encode(value)) }
}
