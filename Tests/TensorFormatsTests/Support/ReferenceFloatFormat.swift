import Foundation

/// A small binary float format by its definition, in double precision: slow, and simple enough to be believed.
struct ReferenceFloatFormat {
  var mantissaBits: Int
  var minimumExponent: Int
  /// The code of the largest number, without sign.
  var largest: Int
  /// What becomes of larger ones, and of infinities.
  var overflow: Int
  var nan: Int
  var bits: Int

  static let e4m3Saturating = Self(
    mantissaBits: 3, minimumExponent: -6, largest: 0x7E, overflow: 0x7E, nan: 0x7F, bits: 8)
  static let e4m3NotANumber = Self(
    mantissaBits: 3, minimumExponent: -6, largest: 0x7E, overflow: 0x7F, nan: 0x7F, bits: 8)
  static let e5m2 = Self(mantissaBits: 2, minimumExponent: -14, largest: 0x7B, overflow: 0x7C, nan: 0x7F, bits: 8)
  static let e5m2Saturating = Self(
    mantissaBits: 2, minimumExponent: -14, largest: 0x7B, overflow: 0x7B, nan: 0x7F, bits: 8)
  static let f16 = Self(
    mantissaBits: 10, minimumExponent: -14, largest: 0x7BFF, overflow: 0x7C00, nan: 0x7E00, bits: 16)
  static let bf16 = Self(
    mantissaBits: 7, minimumExponent: -126, largest: 0x7F7F, overflow: 0x7F80, nan: 0x7FC0, bits: 16)

  /// The nearest code, ties to even; NaNs as `nan` with their sign.
  func encode(_ value: Float) -> Int {
    let sign = value.sign == .minus ? 1 << (bits - 1) : 0
    if value.isNaN { return sign | nan }
    if value.isInfinite { return sign | overflow }
    let magnitude = Double(value.magnitude)
    if magnitude == 0 { return sign }
    // Codes are consecutive: within one exponent by mantissa, and the next exponent continues.
    let exponent = max(Int(magnitude.exponent), minimumExponent)
    let unit = scalbn(1.0, exponent - mantissaBits)
    let steps = Int((magnitude / unit).rounded(.toNearestOrEven))
    let code = steps + (exponent - minimumExponent) << mantissaBits
    return sign | (code > largest ? overflow : code)
  }

  /// The value of a code, for finite ones.
  func decode(_ code: Int) -> Float {
    let magnitude = code & (1 << (bits - 1) - 1)
    let field = magnitude >> mantissaBits
    let mantissa = magnitude & (1 << mantissaBits - 1)
    let significand = field == 0 ? mantissa : mantissa + 1 << mantissaBits
    let value = scalbn(Double(significand), max(field, 1) - 1 + minimumExponent - mantissaBits)
    return Float(code == magnitude ? value : -value)
  }

  /// The code with every NaN as `nan`, sign kept.
  func canonical(_ code: Int) -> Int {
    let magnitude = code & (1 << (bits - 1) - 1)
    return magnitude > max(overflow, largest) ? code - magnitude + nan : code
  }
}
