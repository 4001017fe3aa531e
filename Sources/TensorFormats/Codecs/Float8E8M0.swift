/// The 8-bit exponent of OCP MX (`float8_e8m0fnu`): code `c` is 2^(c − 127); 255 is NaN. No sign, no zero, no infinity.
public enum Float8E8M0 {
  /// The exact value of a code.
  public static func decode(_ code: UInt8) -> Float {
    switch code {
    case 0: 0x1p-127
    case 255: .nan
    default: Float(bitPattern: UInt32(code) << 23)
    }
  }

  /// The nearest power of two, halfway to the larger, as ml_dtypes rounds; 2⁻¹²⁷ itself is code 0. What is not
  /// above zero and finite is NaN.
  public static func encode(_ value: Float) -> UInt8 {
    guard value.isFinite, value > 0 else { return 255 }
    let pattern = value.bitPattern
    let rest = pattern & 0x7F_FFFF
    let exponent = pattern >> 23
    let roundsUp = rest > 0x40_0000 || (rest == 0x40_0000 && exponent > 0)
    return UInt8(min(exponent + (roundsUp ? 1 : 0), 255))
  }
}
