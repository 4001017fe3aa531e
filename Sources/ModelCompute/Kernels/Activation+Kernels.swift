#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
internal import ModelArchitectures

extension Activation {
  /// y = f(x)
  func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    switch self {
    case .silu: map(x, into: y, count) { $0 * $0.sigmoid }
    case .gelu: for index in 0..<count { y[index] = x[index] * normalDistribution(x[index]) }
    case .geluTanh: map(x, into: y, count) { $0 * geluGate($0) }
    case .squaredReLU: map(x, into: y, count) { positive($0) * positive($0) }
    }
  }

  /// y = g · f′(x)
  func applyGradient(
    at x: UnsafePointer<Float>, of g: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch self {
    case .silu: map(x, g, into: y, count) { $1 * siluSlope($0) }
    case .gelu:
      for index in 0..<count {
        let density = exp(-0.5 * x[index] * x[index]) * 0.398_942_280_4
        y[index] = g[index] * (normalDistribution(x[index]) + x[index] * density)
      }
    case .geluTanh: map(x, g, into: y, count) { $1 * geluTanhSlope($0) }
    case .squaredReLU: map(x, g, into: y, count) { $1 * (positive($0) + positive($0)) }
    }
  }
}

/// Φ(x)
private func normalDistribution(_ x: Float) -> Float { 0.5 * (1 + erff(x * 0.707_106_781_2)) }

@inline(__always)
private func positive(_ x: Lanes) -> Lanes {
  let zero = Lanes(repeating: 0)
  return x.replacing(with: zero, where: x .< zero)
}

/// σ(x) · (1 + x · (1 − σ(x)))
@inline(__always)
private func siluSlope(_ x: Lanes) -> Lanes {
  let one = Lanes(repeating: 1)
  let sigmoid = x.sigmoid
  return sigmoid * (one + x * (one - sigmoid))
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
