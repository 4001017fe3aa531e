internal import CTensorKernels

extension Float8E4M3 {
  /// Rounds a row as an engine that computes in E4M3 does: every number becomes `scale` times the code nearest to number ÷ scale.
  ///
  /// The quotient is a true F32 division, saturated at ±448 and rounded to nearest even; NaN stays NaN.
  /// - Parameters:
  ///   - row: any count of numbers.
  ///   - scale: above zero.
  ///   - output: as many numbers; may be `row`.
  public static func round(
    _ row: UnsafeBufferPointer<Float>, scale: Float, into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(output.count == row.count, "\(row.count) numbers do not fit \(output.count)")
    guard let x = row.baseAddress, let y = output.baseAddress else { return }
    roundF32ToE4M3(row.count, x, y, scale: scale)
  }
}

// x: count x F32    y: count x F32, scale · code(x / scale)
@_cdecl("mtconv_round_e4m3") @inline(__always)
func roundE4M3Body(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ scale: Float) {
  let scales = Floats16(repeating: scale)
  mapLanes(count, x, y) { (v: Floats16) -> Floats16 in
    let pattern = bits(v / scales)
    let sign = pattern & all(Int32(bitPattern: 0x8000_0000))
    let unclamped = pattern & all(0x7FFF_FFFF)
    var value = E4M3Magnitudes(E4M3Magnitudes.clamped(unclamped)).values
    value.replace(with: all(0x7FC0_0000), where: unclamped .> all(0x7F80_0000))
    return floats(ofBits: value | sign) * scales
  }
}

@inline(never)
package func roundF32ToE4M3(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, scale: Float, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_round_e4m3_v4(count, x, y, scale)
    case .v3: mtconv_round_e4m3_v3(count, x, y, scale)
    case .baseline: roundE4M3Body(count, x, y, scale)
    }
  #else
    roundE4M3Body(count, x, y, scale)
  #endif
}
