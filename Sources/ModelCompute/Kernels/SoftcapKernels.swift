internal import CTensorKernels
internal import TensorFormats

// x: count x F32    y: count x F32, may be x
@_cdecl("mtconv_compute_softcap") @inline(__always)
func softcapBody(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ limit: Float) {
  let factor = Lanes(repeating: limit)
  let inverse = Lanes(repeating: 1 / limit)
  map(floats(x), into: floats(y), count) { factor * ($0 * inverse).hyperbolicTangent }
}

/// y = limit · tanh(x / limit)
@inline(never)
func softcap(
  _ x: UnsafePointer<Float>, limit: Float, into y: UnsafeMutablePointer<Float>, count: Int,
  at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_compute_softcap_v4(count, x, y, limit)
    case .v3: mtconv_compute_softcap_v3(count, x, y, limit)
    case .baseline: softcapBody(count, x, y, limit)
    }
  #else
    softcapBody(count, x, y, limit)
  #endif
}

/// gradient = gradient · (1 − (y / limit)²): the soft-cap's slope, from what it gave.
func applySoftcapSlope(
  at y: UnsafePointer<Float>, limit: Float, to gradient: UnsafeMutablePointer<Float>, count: Int
) {
  let one = Lanes(repeating: 1)
  let inverse = Lanes(repeating: 1 / limit)
  map(y, gradient, into: gradient, count) { y, gradient in
    let tangent = y * inverse
    return gradient * (one - tangent * tangent)
  }
}
