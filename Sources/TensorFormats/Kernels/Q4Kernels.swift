internal import CTensorKernels

// Blocks of 32 four-bit codes: byte j holds code j in its low half and code j + 16 in its high half (ggml-common.h).

// MARK: Q4_0 to F32

// x: count x Q4_0 block (F16 d, 16 bytes; d * (q - 8))    y: 32 * count x F32
@_cdecl("mtconv_q4_0_to_f32") @inline(__always)
func q4_0ToF32Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  var i = 0
  while i < count {
    let block = x + 18 * i
    let values = y + 128 * i
    let scale = Floats16(repeating: Float16Bits.decode(block.loadUnaligned(as: UInt16.self)))
    let codes = widened(block.loadUnaligned(fromByteOffset: 2, as: Bytes16.self))
    let low = floats((codes & all(0xF)) &- all(8)) * scale
    let high = floats(shiftedRight(codes, 4) &- all(8)) * scale
    values.storeBytes(of: low, as: Floats16.self)
    values.storeBytes(of: high, toByteOffset: 64, as: Floats16.self)
    i += 1
  }
}

/// Decodes `count` blocks.
@inline(never)
package func convertQ4_0ToF32(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_q4_0_to_f32_v4(count, x, y)
    case .v3: mtconv_q4_0_to_f32_v3(count, x, y)
    case .baseline: q4_0ToF32Body(count, x, y)
    }
  #else
    q4_0ToF32Body(count, x, y)
  #endif
}

// MARK: Q4_1 to F32

// x: count x Q4_1 block (F16 d, F16 m, 16 bytes; d * q + m)    y: 32 * count x F32
@_cdecl("mtconv_q4_1_to_f32") @inline(__always)
func q4_1ToF32Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  var i = 0
  while i < count {
    let block = x + 20 * i
    let values = y + 128 * i
    let scale = Floats16(repeating: Float16Bits.decode(block.loadUnaligned(as: UInt16.self)))
    let minimum = Floats16(repeating: Float16Bits.decode(block.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
    let codes = widened(block.loadUnaligned(fromByteOffset: 4, as: Bytes16.self))
    // 11 bits times 4 bits: the product is exact, so that only the sum rounds.
    let low = floats(codes & all(0xF)) * scale + minimum
    let high = floats(shiftedRight(codes, 4)) * scale + minimum
    values.storeBytes(of: low, as: Floats16.self)
    values.storeBytes(of: high, toByteOffset: 64, as: Floats16.self)
    i += 1
  }
}

/// Decodes `count` blocks.
@inline(never)
package func convertQ4_1ToF32(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_q4_1_to_f32_v4(count, x, y)
    case .v3: mtconv_q4_1_to_f32_v3(count, x, y)
    case .baseline: q4_1ToF32Body(count, x, y)
    }
  #else
    q4_1ToF32Body(count, x, y)
  #endif
}
