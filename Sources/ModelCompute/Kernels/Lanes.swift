/// Sixteen values at a time: one AVX-512 register, two of AVX2, four of SSE or NEON.
typealias Lanes = SIMD16<Float>

extension Lanes {
  @inline(__always)
  static func load(_ start: UnsafePointer<Float>, _ index: Int) -> Lanes {
    UnsafeRawPointer(start + index).loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  func store(_ start: UnsafeMutablePointer<Float>, _ index: Int) {
    UnsafeMutableRawPointer(start + index).storeBytes(of: self, as: Lanes.self)
  }

  /// The first `count` values, the rest filled up.
  @inline(__always)
  static func load(_ start: UnsafePointer<Float>, _ index: Int, count: Int, filling: Float) -> Lanes {
    var lanes = Lanes(repeating: filling)
    for lane in 0..<count { lanes[lane] = start[index + lane] }
    return lanes
  }

  @inline(__always)
  func store(_ start: UnsafeMutablePointer<Float>, _ index: Int, count: Int) {
    for lane in 0..<count { start[index + lane] = self[lane] }
  }

  /// Added in halves.
  @inline(__always)
  var total: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  /// The largest value.
  @inline(__always)
  var largest: Float {
    let eight = lowHalf.replacing(with: highHalf, where: lowHalf .< highHalf)
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.lowHalf .< eight.highHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.lowHalf .< four.highHalf)
    return two[0] < two[1] ? two[1] : two[0]
  }
}

/// y = f(x) for `count` values, sixteen at a time.
@inline(__always)
func map(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ count: Int, _ transform: (Lanes) -> Lanes
) {
  var index = 0
  while index &+ 16 <= count {
    transform(Lanes.load(x, index)).store(y, index)
    index &+= 16
  }
  if index < count {
    let rest = count &- index
    transform(Lanes.load(x, index, count: rest, filling: 0)).store(y, index, count: rest)
  }
}

/// z = f(x, y) for `count` values, sixteen at a time.
@inline(__always)
func map(
  _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into z: UnsafeMutablePointer<Float>, _ count: Int,
  _ transform: (Lanes, Lanes) -> Lanes
) {
  var index = 0
  while index &+ 16 <= count {
    transform(Lanes.load(x, index), Lanes.load(y, index)).store(z, index)
    index &+= 16
  }
  if index < count {
    let rest = count &- index
    let left = Lanes.load(x, index, count: rest, filling: 0)
    transform(left, Lanes.load(y, index, count: rest, filling: 0)).store(z, index, count: rest)
  }
}
