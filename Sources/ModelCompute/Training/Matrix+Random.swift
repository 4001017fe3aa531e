#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension Matrix {
  /// Independent normal values around zero (Box and Muller, 1958).
  func fillNormal(deviation: Float, using generator: inout some RandomNumberGenerator) {
    for index in stride(from: 0, to: count, by: 2) {
      let radius = (-2 * log(Float.random(in: Float.leastNormalMagnitude..<1, using: &generator))).squareRoot()
      let angle = Float.random(in: 0..<2 * Float.pi, using: &generator)
      start[index] = deviation * radius * cos(angle)
      if index + 1 < count { start[index + 1] = deviation * radius * sin(angle) }
    }
  }
}
