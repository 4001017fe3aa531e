/// y = limit · tanh(x / limit)
func softcap(_ x: UnsafePointer<Float>, limit: Float, into y: UnsafeMutablePointer<Float>, count: Int) {
  let factor = Lanes(repeating: limit)
  let inverse = Lanes(repeating: 1 / limit)
  map(x, into: y, count) { factor * ($0 * inverse).hyperbolicTangent }
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
