internal import CTensorKernels

// A block of Q8_0 is 34 bytes: F16 scale d, 32 signed codes q; the values are d * q (ggml-common.h, block_q8_0).

// MARK: Q8_0 to F32

// x: count x Q8_0 block    y: 32 * count x F32
@_cdecl("mtconv_q8_0_to_f32") @inline(__always)
func q8_0ToF32Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  var i = 0
  while i < count {
    let block = x + 34 * i
    let values = y + 128 * i
    let scale = Floats16(repeating: Float16Bits.decode(block.loadUnaligned(as: UInt16.self)))
    let low = block.loadUnaligned(fromByteOffset: 2, as: SIMD16<Int8>.self)
    let high = block.loadUnaligned(fromByteOffset: 18, as: SIMD16<Int8>.self)
    values.storeBytes(of: floats(widened(low)) * scale, as: Floats16.self)
    values.storeBytes(of: floats(widened(high)) * scale, toByteOffset: 64, as: Floats16.self)
    i += 1
  }
}

/// Decodes `count` blocks.
@inline(never)
package func convertQ8_0ToF32(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_q8_0_to_f32_v4(count, x, y)
    case .v3: mtconv_q8_0_to_f32_v3(count, x, y)
    case .baseline: q8_0ToF32Body(count, x, y)
    }
  #else
    q8_0ToF32Body(count, x, y)
  #endif
}

// MARK: F32 to Q8_0

// x: 32 * count x F32    y: count x Q8_0 block
@_cdecl("mtconv_f32_to_q8_0") @inline(__always)
func f32ToQ8_0Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  var values = x
  var block = y
  let end = x + 128 * count
  while values < end {
    let low = values.loadUnaligned(as: Floats16.self)
    let high = values.loadUnaligned(fromByteOffset: 64, as: Floats16.self)
    let magnitudes = larger(bits(low) & all(0x7FFF_FFFF), bits(high) & all(0x7FFF_FFFF))
    let largestMagnitude = Float(bitPattern: UInt32(bitPattern: largest(magnitudes)))
    // The codes come from the scale before it is rounded to F16, as in ggml's quantize_row_q8_0_ref.
    let scale = largestMagnitude / 127
    let inverse: Float = scale == 0 ? 0 : 1 / scale
    let stored: UInt16 = scale.isNaN ? 0x7E00 : Float16Bits.encode(scale)
    block.storeBytes(of: stored, as: UInt16.self)
    if scale.isFinite && inverse.isFinite {
      block.storeBytes(of: q8_0Codes(low, inverse), toByteOffset: 2, as: Bytes16.self)
      block.storeBytes(of: q8_0Codes(high, inverse), toByteOffset: 18, as: Bytes16.self)
    } else {
      block.storeBytes(of: Bytes16(), toByteOffset: 2, as: Bytes16.self)
      block.storeBytes(of: Bytes16(), toByteOffset: 18, as: Bytes16.self)
    }
    values += 128
    block += 34
  }
}

/// `x * inverse`, rounded half away from zero; magnitudes are at most 127 and a rounding error.
@inline(__always)
private func q8_0Codes(_ x: Floats16, _ inverse: Float) -> Bytes16 {
  let product = x * Floats16(repeating: inverse)
  let sign = bits(product) & all(.min)
  let magnitude = floats(ofBits: bits(product) & all(0x7FFF_FFFF))
  // Adding 1.5 * 2^23 and taking it off again rounds to nearest even; a tie that went down is one short.
  let magic = Floats16(repeating: 12_582_912)
  let even = (magnitude + magic) - magic
  let rounded = even.replacing(
    with: even + Floats16(repeating: 1), where: magnitude - even .== Floats16(repeating: 0.5))
  // The last byte of this sum is the integer in two's complement.
  return lowBytes(bits(floats(ofBits: bits(rounded) | sign) + magic))
}

/// Encodes `count` blocks with the bytes of ggml's reference quantizer.
@inline(never)
package func convertF32ToQ8_0(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_f32_to_q8_0_v4(count, x, y)
    case .v3: mtconv_f32_to_q8_0_v3(count, x, y)
    case .baseline: f32ToQ8_0Body(count, x, y)
    }
  #else
    f32ToQ8_0Body(count, x, y)
  #endif
}
