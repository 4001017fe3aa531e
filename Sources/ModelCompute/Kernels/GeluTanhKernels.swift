internal import CTensorKernels
internal import TensorFormats

// x, y: count x F32
@_cdecl("mtconv_compute_gelu_tanh") @inline(__always)
func geluTanhBody(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  map(floats(x), into: floats(y), count) { $0 * geluGate($0) }
}

/// y = x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2
@inline(never)
func applyGeluTanh(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_compute_gelu_tanh_v4(count, x, y)
    case .v3: mtconv_compute_gelu_tanh_v3(count, x, y)
    case .baseline: geluTanhBody(count, x, y)
    }
  #else
    geluTanhBody(count, x, y)
  #endif
}

// x, g, y: count x F32
@_cdecl("mtconv_compute_gelu_tanh_gradient") @inline(__always)
func geluTanhGradientBody(_ count: Int, _ x: UnsafeRawPointer, _ g: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  map(floats(x), floats(g), into: floats(y), count) { $1 * geluTanhSlope($0) }
}

/// y = g times the derivative of that
@inline(never)
func applyGeluTanhGradient(
  at x: UnsafePointer<Float>, of g: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int,
  level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_compute_gelu_tanh_gradient_v4(count, x, g, y)
    case .v3: mtconv_compute_gelu_tanh_gradient_v3(count, x, g, y)
    case .baseline: geluTanhGradientBody(count, x, g, y)
    }
  #else
    geluTanhGradientBody(count, x, g, y)
  #endif
}

/// (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2
@inline(__always)
private func geluGate(_ x: Lanes) -> Lanes {
  let cube = x * x * x
  let inner = Lanes(repeating: 0.797_884_560_8) * (x + Lanes(repeating: 0.044_715) * cube)
  let tangent = inner.hyperbolicTangent
  return Lanes(repeating: 0.5) + Lanes(repeating: 0.5) * tangent
}

/// With the gate s = (1 + t) / 2: s + x · s′, and s′ = 2 s (1 − s) · √(2/π) · (1 + 3 · 0.044715 x²).
@inline(__always)
private func geluTanhSlope(_ x: Lanes) -> Lanes {
  let gate = geluGate(x)
  let inner = Lanes(repeating: 0.797_884_560_8) * (Lanes(repeating: 1) + Lanes(repeating: 0.134_145) * x * x)
  let slope = Lanes(repeating: 2) * gate * (Lanes(repeating: 1) - gate) * inner
  return gate + x * slope
}
