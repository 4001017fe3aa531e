/// The 8-bit float with four exponent and three mantissa bits of OCP OFP8 (`float8_e4m3fn`), as scalar and row conversions.
///
/// Bias 7, largest number 448 (`0x7E`), smallest normal 2⁻⁶, smallest subnormal 2⁻⁹. There is no infinity; `0x7F` and `0xFF`
/// are NaN. Conversions round once, from 32-bit floats, to nearest even: rounding to BF16 or F16 first gives other codes.
public enum Float8E4M3 {
  /// The largest number: 448.
  public static let maximum: Float = 448

  /// What becomes of numbers beyond the range. Implementations differ, so that callers say which they mean.
  public enum OverflowPolicy: Sendable {
    /// Everything beyond ±448, infinities included, becomes ±448: OFP8's SAT, PyTorch since 2.12.
    case saturate
    /// Magnitudes above 464 (which still rounds to 448) and infinities become NaN: OFP8's NONSAT, ml_dtypes, older PyTorch.
    case notANumber
  }

  /// The nearest code. NaN becomes `0x7F`, or `0xFF` if its sign is set.
  public static func encode(_ value: Float, overflow: OverflowPolicy) -> UInt8 {
    let magnitude = value.bitPattern & 0x7FFF_FFFF
    let sign = UInt8(truncatingIfNeeded: value.bitPattern >> 24) & 0x80
    if magnitude > 0x7F80_0000 { return sign | 0x7F }
    if magnitude < 0x3C80_0000 {
      // Below 2^-6: the sum with 2^14, whose last bit is worth 2^-9, rounds to the multiple we want.
      let sum = Float(bitPattern: magnitude) + 0x1p14
      return sign | UInt8(truncatingIfNeeded: sum.bitPattern &- 0x4680_0000)
    }
    let rounded = (magnitude &+ 0x7FFFF &+ (magnitude >> 20 & 1)) >> 20
    let code = min(rounded &- 120 << 3, 0x7F)
    if code < 0x7F { return sign | UInt8(truncatingIfNeeded: code) }
    switch overflow {
    case .saturate: return sign | 0x7E
    case .notANumber: return sign | 0x7F
    }
  }

  /// The exact value of a code.
  public static func decode(_ code: UInt8) -> Float { values[Int(code)] }

  /// The value of every code.
  public static let values: [Float] = (0...255).map { code in
    let magnitude = code & 0x7F
    let exponent = magnitude >> 3
    let mantissa = Float(magnitude & 7)
    let value: Float
    if magnitude == 0x7F {
      value = .nan
    } else if exponent == 0 {
      value = mantissa * 0x1p-9
    } else {
      value = (8 + mantissa) * Float(sign: .plus, exponent: exponent - 10, significand: 1)
    }
    return code >= 0x80 ? -value : value
  }

  /// Quantizes a row: each code is the nearest to `value / divisor`, clamped to ±448.
  ///
  /// The quotient is a true F32 division, so that each element rounds exactly twice: there and to the code. A divisor of zero gives
  /// ±448 or NaN (for 0/0); rows of zeros need some other divisor.
  /// - Parameters:
  ///   - row: any count of numbers.
  ///   - bytes: as many bytes.
  public static func encode(
    _ row: UnsafeBufferPointer<Float>, dividingBy divisor: Float, into bytes: UnsafeMutableRawBufferPointer
  ) {
    precondition(bytes.count == row.count, "\(row.count) numbers do not fit \(bytes.count) bytes of E4M3")
    guard let x = row.baseAddress, let y = bytes.baseAddress else { return }
    convertF32ToE4M3(row.count, x, y, dividingBy: divisor)
  }
}
