internal import CTensorKernels

// MARK: BF16 to F32

// x: count x BF16    y: count x F32
@_cdecl("mtconv_bf16_to_f32") @inline(__always)
func bf16ToF32Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  mapLanes(count, x, y) { (v: Halves16) -> Floats16 in floats(ofBits: widened(v) &<< all(16)) }
}

/// Decodes `count` BF16 numbers. Neither pointer needs alignment.
@inline(never)
package func convertBF16ToF32(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_bf16_to_f32_v4(count, x, y)
    case .v3: mtconv_bf16_to_f32_v3(count, x, y)
    case .baseline: bf16ToF32Body(count, x, y)
    }
  #else
    bf16ToF32Body(count, x, y)
  #endif
}

// MARK: F32 to BF16

// x: count x F32    y: count x BF16
@_cdecl("mtconv_f32_to_bf16") @inline(__always)
func f32ToBF16Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  mapLanes(count, x, y) { (v: Floats16) -> Halves16 in
    let pattern = bits(v)
    let odd = shiftedRight(pattern, 16) & all(1)
    let rounded = pattern &+ all(0x7FFF) &+ odd
    let isNaN = (pattern & all(0x7FFF_FFFF)) .> all(0x7F80_0000)
    let result = rounded.replacing(with: pattern | all(0x0040_0000), where: isNaN)
    return lowHalves(shiftedRight(result, 16))
  }
}

/// Encodes `count` numbers as BF16, to nearest even.
@inline(never)
package func convertF32ToBF16(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_f32_to_bf16_v4(count, x, y)
    case .v3: mtconv_f32_to_bf16_v3(count, x, y)
    case .baseline: f32ToBF16Body(count, x, y)
    }
  #else
    f32ToBF16Body(count, x, y)
  #endif
}
