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
    case .silu: applySilu(x, into: y, count: count)
    case .gelu: for index in 0..<count { y[index] = x[index] * normalDistribution(x[index]) }
    case .geluTanh: applyGeluTanh(x, into: y, count: count)
    case .squaredReLU: map(x, into: y, count) { positive($0) * positive($0) }
    }
  }

  /// y = g · f′(x)
  func applyGradient(
    at x: UnsafePointer<Float>, of g: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch self {
    case .silu: applySiluGradient(at: x, of: g, into: y, count: count)
    case .gelu:
      for index in 0..<count {
        let density = exp(-0.5 * x[index] * x[index]) * 0.398_942_280_4
        y[index] = g[index] * (normalDistribution(x[index]) + x[index] * density)
      }
    case .geluTanh: applyGeluTanhGradient(at: x, of: g, into: y, count: count)
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
