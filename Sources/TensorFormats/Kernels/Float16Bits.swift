/// IEEE binary16 as bit patterns, by integer arithmetic: `Float16` does not exist on every platform, and without F16C its
/// conversions are calls into a library.
///
/// NaNs stay NaNs with sign and upper payload, made quiet, as the hardware conversions do it.
package enum Float16Bits {
  @inline(__always)
  package static func decode(_ half: UInt16) -> Float {
    let magnitude = UInt32(half & 0x7FFF) << 13
    let sign = UInt32(half & 0x8000) << 16
    let exponent = magnitude & 0x0F80_0000
    if exponent == 0 {
      // Subnormal: lend it the exponent of the smallest normal number and take that number off again, which is exact.
      let value = Float(bitPattern: magnitude + 113 << 23) - 0x1p-14
      return Float(bitPattern: value.bitPattern | sign)
    }
    if exponent == 0x0F80_0000 {
      let quiet: UInt32 = magnitude == exponent ? 0 : 0x0040_0000
      return Float(bitPattern: (magnitude + 224 << 23) | quiet | sign)
    }
    return Float(bitPattern: (magnitude + 112 << 23) | sign)
  }

  /// Rounds to nearest even; magnitudes from 65520 become infinite.
  @inline(__always)
  package static func encode(_ value: Float) -> UInt16 {
    let magnitude = value.bitPattern & 0x7FFF_FFFF
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    if magnitude > 0x7F80_0000 { return sign | 0x7E00 | UInt16(truncatingIfNeeded: magnitude >> 13) & 0x3FF }
    if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
    if magnitude < 0x3880_0000 {
      // Below 2^-14: the sum with 0.5, whose last bit is worth 2^-24, rounds to the multiple we want.
      let sum = Float(bitPattern: magnitude) + 0.5
      return sign | UInt16(truncatingIfNeeded: sum.bitPattern &- 0x3F00_0000)
    }
    let rounded = magnitude &+ 0xFFF &+ (magnitude >> 13 & 1)
    return sign | UInt16(truncatingIfNeeded: (rounded >> 13) &- 112 << 10)
  }
}
