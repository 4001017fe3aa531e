internal import CTensorKernels

// Two bodies each: the hardware conversion where there is one (F16C, NEON), integer arithmetic elsewhere. Same bits.

// MARK: F16 to F32

// x: count x F16    y: count x F32
@inline(__always)
func f16ToF32IntegerBody(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  mapLanes(count, x, y) { (v: Halves16) -> Floats16 in
    let half = widened(v)
    let sign = (half & all(0x8000)) &<< all(16)
    let magnitude = (half & all(0x7FFF)) &<< all(13)
    let exponent = magnitude & all(0x0F80_0000)
    // Infinity and NaN need the bias twice; a NaN (any mantissa bit) becomes quiet.
    let normal = magnitude &+ all(112 << 23)
    let isSpecial = exponent .== all(0x0F80_0000)
    let isNaN = magnitude .> all(0x0F80_0000)
    var result = normal.replacing(with: normal &+ all(112 << 23), where: isSpecial)
    result.replace(with: result | all(0x0040_0000), where: isNaN)
    // Subnormal: see Float16Bits.
    let subnormal = floats(ofBits: magnitude &+ all(113 << 23)) - Floats16(repeating: 0x1p-14)
    result.replace(with: bits(subnormal), where: exponent .== all(0))
    return floats(ofBits: result | sign)
  }
}

// x: count x F16    y: count x F32
@_cdecl("mtconv_f16_to_f32") @inline(__always)
func f16ToF32Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  #if arch(x86_64) && os(macOS)
    f16ToF32IntegerBody(count, x, y)
  #else
    mapLanes(count, x, y) { (v: SIMD16<Float16>) -> Floats16 in floats(v) }
  #endif
}

/// Decodes `count` F16 numbers.
@inline(never)
package func convertF16ToF32(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_f16_to_f32_v4(count, x, y)
    case .v3: mtconv_f16_to_f32_v3(count, x, y)
    case .baseline: f16ToF32IntegerBody(count, x, y)
    }
  #else
    f16ToF32Body(count, x, y)
  #endif
}

// MARK: F32 to F16

// x: count x F32    y: count x F16
@inline(__always)
func f32ToF16IntegerBody(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  mapLanes(count, x, y) { (v: Floats16) -> Halves16 in
    let pattern = bits(v)
    let magnitude = pattern & all(0x7FFF_FFFF)
    let sign = shiftedRight(pattern, 16) & all(0x8000)
    let odd = shiftedRight(magnitude, 13) & all(1)
    let rounded = shiftedRight(magnitude &+ all(0xFFF) &+ odd, 13)
    var result = rounded &- all(112 << 10)
    result.replace(with: all(0x7C00), where: magnitude .> all(0x477F_EFFF))
    // Below 2^-14: see Float16Bits.
    let sum = floats(ofBits: magnitude) + Floats16(repeating: 0.5)
    result.replace(with: bits(sum) &- all(0x3F00_0000), where: magnitude .< all(0x3880_0000))
    let nan = all(0x7E00) | (shiftedRight(magnitude, 13) & all(0x3FF))
    result.replace(with: nan, where: magnitude .> all(0x7F80_0000))
    return lowHalves(result | sign)
  }
}

// x: count x F32    y: count x F16
@_cdecl("mtconv_f32_to_f16") @inline(__always)
func f32ToF16Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  #if arch(x86_64) && os(macOS)
    f32ToF16IntegerBody(count, x, y)
  #else
    mapLanes(count, x, y) { (v: Floats16) -> SIMD16<Float16> in halves(v) }
  #endif
}

/// Encodes `count` numbers as F16, to nearest even; what is too large becomes infinite.
@inline(never)
package func convertF32ToF16(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_f32_to_f16_v4(count, x, y)
    case .v3: mtconv_f32_to_f16_v3(count, x, y)
    case .baseline: f32ToF16IntegerBody(count, x, y)
    }
  #else
    f32ToF16Body(count, x, y)
  #endif
}

// MARK: Lane conversions

#if !(arch(x86_64) && os(macOS))
  @inline(__always)
  private func floats(_ v: SIMD16<Float16>) -> Floats16 {
    Floats16(
      Float(v[0]), Float(v[1]), Float(v[2]), Float(v[3]), Float(v[4]), Float(v[5]), Float(v[6]), Float(v[7]),
      Float(v[8]), Float(v[9]), Float(v[10]), Float(v[11]), Float(v[12]), Float(v[13]), Float(v[14]), Float(v[15]))
  }

  @inline(__always)
  private func halves(_ v: Floats16) -> SIMD16<Float16> {
    SIMD16<Float16>(
      Float16(v[0]), Float16(v[1]), Float16(v[2]), Float16(v[3]), Float16(v[4]), Float16(v[5]), Float16(v[6]),
      Float16(v[7]), Float16(v[8]), Float16(v[9]), Float16(v[10]), Float16(v[11]), Float16(v[12]), Float16(v[13]),
      Float16(v[14]), Float16(v[15]))
  }

#endif
