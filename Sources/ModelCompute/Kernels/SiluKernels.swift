internal import CTensorKernels
internal import TensorFormats

// x, y: count x F32
@_cdecl("mtconv_compute_silu") @inline(__always)
func siluBody(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  map(floats(x), into: floats(y), count) { $0 * $0.sigmoid }
}

/// y = x · σ(x)
@inline(never)
func applySilu(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_compute_silu_v4(count, x, y)
    case .v3: mtconv_compute_silu_v3(count, x, y)
    case .baseline: siluBody(count, x, y)
    }
  #else
    siluBody(count, x, y)
  #endif
}

// x, g, y: count x F32
@_cdecl("mtconv_compute_silu_gradient") @inline(__always)
func siluGradientBody(_ count: Int, _ x: UnsafeRawPointer, _ g: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  map(floats(x), floats(g), into: floats(y), count) { $1 * siluSlope($0) }
}

/// y = g · σ(x) · (1 + x · (1 − σ(x)))
@inline(never)
func applySiluGradient(
  at x: UnsafePointer<Float>, of g: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int,
  level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_compute_silu_gradient_v4(count, x, g, y)
    case .v3: mtconv_compute_silu_gradient_v3(count, x, g, y)
    case .baseline: siluGradientBody(count, x, g, y)
    }
  #else
    siluGradientBody(count, x, g, y)
  #endif
}

@inline(__always)
private func siluSlope(_ x: Lanes) -> Lanes {
  let one = Lanes(repeating: 1)
  let sigmoid = x.sigmoid
  return sigmoid * (one + x * (one - sigmoid))
}
