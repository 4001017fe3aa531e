internal import CTensorKernels

// MARK: E4M3 to F32

// x: count x E4M3    y: count x F32
@_cdecl("mtconv_e4m3_to_f32") @inline(__always)
func e4m3ToF32Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  mapLanes(count, x, y) { (v: Bytes16) -> Floats16 in
    let code = widened(v)
    let sign = (code & all(0x80)) &<< all(24)
    let magnitude = (code & all(0x7F)) &<< all(20)
    // Bias 7 becomes bias 127. Subnormals borrow the exponent of 2^-6 and give 2^-6 back, which is exact.
    var result = magnitude &+ all(120 << 23)
    let subnormal = floats(ofBits: magnitude &+ all(121 << 23)) - Floats16(repeating: 0x1p-6)
    result.replace(with: bits(subnormal), where: magnitude .< all(1 << 23))
    result.replace(with: all(0x7FC0_0000), where: magnitude .== all(0x7F << 20))
    return floats(ofBits: result | sign)
  }
}

/// Decodes `count` E4M3 codes.
@inline(never)
package func convertE4M3ToF32(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_e4m3_to_f32_v4(count, x, y)
    case .v3: mtconv_e4m3_to_f32_v3(count, x, y)
    case .baseline: e4m3ToF32Body(count, x, y)
    }
  #else
    e4m3ToF32Body(count, x, y)
  #endif
}

// MARK: F32 to E4M3

/// Magnitudes rounded to nearest even among those that E4M3 has.
struct E4M3Magnitudes {
  /// The upper 12 bits of a normal number, rounded.
  private let upper: Words16
  /// Below 2^-6: the sum with 2^14, whose last bit is worth 2^-9, rounds to the multiple we want.
  private let sum: Floats16
  private let isSubnormal: SIMDMask<Words16.MaskStorage>

  /// - Parameter magnitude: patterns of F32 numbers from 0 to 448.
  @inline(__always)
  init(_ magnitude: Words16) {
    let odd = shiftedRight(magnitude, 20) & all(1)
    upper = shiftedRight(magnitude &+ all(0x7FFFF) &+ odd, 20)
    sum = floats(ofBits: magnitude) + Floats16(repeating: 0x1p14)
    isSubnormal = magnitude .< all(0x3C80_0000)
  }

  var codes: Words16 {
    @inline(__always) get {
      (upper &- all(120 << 3)).replacing(with: bits(sum) &- all(0x4680_0000), where: isSubnormal)
    }
  }

  /// Patterns of the F32 numbers that they became.
  var values: Words16 {
    @inline(__always) get {
      (upper &<< all(20)).replacing(with: bits(sum - Floats16(repeating: 0x1p14)), where: isSubnormal)
    }
  }

  /// 448 where a pattern is larger: what is not a number, too.
  @inline(__always)
  static func clamped(_ pattern: Words16) -> Words16 {
    let limit = all(0x43E0_0000)
    return pattern.replacing(with: limit, where: pattern .> limit)
  }
}

// x: count x F32    y: count x E4M3 of x / divisor, saturating
@_cdecl("mtconv_f32_to_e4m3") @inline(__always)
func f32ToE4M3Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ divisor: Float) {
  let divisors = Floats16(repeating: divisor)
  mapLanes(count, x, y) { (v: Floats16) -> Bytes16 in
    let pattern = bits(v / divisors)
    let sign = shiftedRight(pattern, 24) & all(0x80)
    let unclamped = pattern & all(0x7FFF_FFFF)
    var code = E4M3Magnitudes(E4M3Magnitudes.clamped(unclamped)).codes
    code.replace(with: all(0x7F), where: unclamped .> all(0x7F80_0000))
    return lowBytes(code | sign)
  }
}

/// Encodes `count` numbers, divided by `divisor` in F32, as E4M3: to nearest even, saturating.
@inline(never)
package func convertF32ToE4M3(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, dividingBy divisor: Float,
  at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_f32_to_e4m3_v4(count, x, y, divisor)
    case .v3: mtconv_f32_to_e4m3_v3(count, x, y, divisor)
    case .baseline: f32ToE4M3Body(count, x, y, divisor)
    }
  #else
    f32ToE4M3Body(count, x, y, divisor)
  #endif
}
