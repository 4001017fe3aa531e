/// The 8-bit float with five exponent and two mantissa bits of OCP OFP8 (`float8_e5m2`): the upper byte of IEEE binary16.
///
/// Bias 15, largest number 57344 (`0x7B`), smallest normal 2⁻¹⁴, smallest subnormal 2⁻¹⁶. `0x7C` is infinity, `0x7D`…`0x7F` are NaN.
public enum Float8E5M2 {
  /// The largest number: 57344.
  public static let maximum: Float = 57344

  /// What becomes of numbers beyond the range.
  public enum OverflowPolicy: Sendable {
    /// Everything beyond ±57344, infinities included, becomes ±57344: OFP8's SAT.
    case saturate
    /// Magnitudes from 61440 and infinities become infinite, as IEEE 754 rounds: OFP8's NONSAT, PyTorch, ml_dtypes.
    case infinity
  }

  /// The nearest code, ties to even. NaN becomes `0x7F`, or `0xFF` if its sign is set.
  public static func encode(_ value: Float, overflow: OverflowPolicy = .infinity) -> UInt8 {
    let magnitude = value.bitPattern & 0x7FFF_FFFF
    let sign = UInt8(truncatingIfNeeded: value.bitPattern >> 24) & 0x80
    if magnitude > 0x7F80_0000 { return sign | 0x7F }
    if magnitude < 0x3880_0000 {
      // Below 2^-14: the sum with 2^7, whose last bit is worth 2^-16, rounds to the multiple we want.
      let sum = Float(bitPattern: magnitude) + 0x1p7
      return sign | UInt8(truncatingIfNeeded: sum.bitPattern &- 0x4300_0000)
    }
    let rounded = (magnitude &+ 0xFFFFF &+ (magnitude >> 21 & 1)) >> 21
    let code = min(rounded &- 112 << 2, 0x7C)
    if code < 0x7C { return sign | UInt8(truncatingIfNeeded: code) }
    switch overflow {
    case .saturate: return sign | 0x7B
    case .infinity: return sign | 0x7C
    }
  }

  /// The exact value of a code.
  public static func decode(_ code: UInt8) -> Float { values[Int(code)] }

  /// The value of every code.
  public static let values: [Float] = (0...255).map { Float16Bits.decode(UInt16($0) << 8) }
}
