// Arithmetic over `count` values. Outputs may be one of the inputs.

func add(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into z: UnsafeMutablePointer<Float>, _ count: Int) {
  map(x, y, into: z, count) { $0 + $1 }
}

func multiply(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into z: UnsafeMutablePointer<Float>, _ count: Int) {
  map(x, y, into: z, count) { $0 * $1 }
}

/// y = (x + shift) · factor
func shiftAndScale(
  _ x: UnsafePointer<Float>, by shift: Float, factor: Float, into y: UnsafeMutablePointer<Float>, _ count: Int
) {
  let (shift, factor) = (Lanes(repeating: shift), Lanes(repeating: factor))
  map(x, into: y, count) { ($0 + shift) * factor }
}

/// z = z + x · y
func addProduct(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>, _ count: Int) {
  var index = 0
  while index &+ 16 <= count {
    (Lanes.load(z, index) + Lanes.load(x, index) * Lanes.load(y, index)).store(z, index)
    index &+= 16
  }
  while index < count {
    z[index] = z[index] + x[index] * y[index]
    index &+= 1
  }
}

/// y = y + factor · x
package func addScaled(_ x: UnsafeMutableBufferPointer<Float>, factor: Float, to y: UnsafeMutableBufferPointer<Float>) {
  precondition(x.count == y.count)
  guard let x = x.baseAddress, let target = y.baseAddress else { return }
  let lanes = Lanes(repeating: factor)
  map(x, target, into: target, y.count) { $1 + lanes * $0 }
}

/// Σ f(x), sixteen sums side by side.
@inline(__always)
private func reduce(_ count: Int, _ lanes: (Int) -> Lanes, _ single: (Int) -> Float) -> Float {
  var sums = Lanes(repeating: 0)
  var index = 0
  while index &+ 16 <= count {
    sums = sums + lanes(index)
    index &+= 16
  }
  var total = sums.total
  while index < count {
    total += single(index)
    index &+= 1
  }
  return total
}

func sum(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
  reduce(count, { Lanes.load(x, $0) }, { x[$0] })
}

func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int) -> Float {
  reduce(count, { Lanes.load(x, $0) * Lanes.load(y, $0) }, { x[$0] * y[$0] })
}

/// Σ x²
package func sumOfSquares(_ x: UnsafeMutableBufferPointer<Float>) -> Float {
  x.baseAddress.map { sumOfSquares($0, x.count, around: 0) } ?? 0
}

/// Σ (x − centre)²
func sumOfSquares(_ x: UnsafePointer<Float>, _ count: Int, around centre: Float) -> Float {
  let middle = Lanes(repeating: centre)
  return reduce(
    count,
    {
      let distance = Lanes.load(x, $0) - middle
      return distance * distance
    }, { (x[$0] - centre) * (x[$0] - centre) })
}

/// The largest of `count` values; −∞ if there are none.
@inline(__always)
func largest(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
  var lanes = Lanes(repeating: -.infinity)
  var index = 0
  while index &+ 16 <= count {
    let next = Lanes.load(x, index)
    lanes = lanes.replacing(with: next, where: lanes .< next)
    index &+= 16
  }
  var result = lanes.largest
  while index < count {
    result = x[index] > result ? x[index] : result
    index &+= 1
  }
  return result
}
