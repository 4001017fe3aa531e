/// Sixteen values at a time: one AVX-512 register, two of AVX2, four of SSE or NEON.
///
/// The compiler knows arithmetic on these vectors as loops over the lanes, which it unrolls only in simple surroundings: a loop
/// that works on vectors must have no other loop or branch inside.
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

  /// Added in halves.
  var total: Float {
    @inline(__always) get {
      let eight = lowHalf + highHalf
      let four = eight.lowHalf + eight.highHalf
      let two = four.lowHalf + four.highHalf
      return two[0] + two[1]
    }
  }

  /// The largest value.
  var largest: Float {
    @inline(__always) get {
      let eight = lowHalf.replacing(with: highHalf, where: lowHalf .< highHalf)
      let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.lowHalf .< eight.highHalf)
      let two = four.lowHalf.replacing(with: four.highHalf, where: four.lowHalf .< four.highHalf)
      return two[0] < two[1] ? two[1] : two[0]
    }
  }
}

/// Calls `body` with whole vectors: first those of x, then what is left of it, filled up.
///
/// - Parameter body: reads a multiple of sixteen values and writes as many.
@inline(__always)
func forWholeVectors(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ count: Int, filling: Float = 0,
  _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
) {
  forWholeVectors(x, x, into: y, count, filling: filling) { x, _, y, count in body(x, y, count) }
}

/// The same for two inputs.
@inline(__always)
func forWholeVectors(
  _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into z: UnsafeMutablePointer<Float>, _ count: Int,
  filling: Float = 0,
  _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
) {
  let whole = count & ~15
  let rest = count & 15
  var buffers = (Lanes(repeating: filling), Lanes(repeating: filling))
  withUnsafeMutableBytes(of: &buffers) { bytes in
    let left = floats(bytes.baseAddress!)
    let right = left + 16
    var (a, b, c, length) = (x, y, z, whole)
    // `body` stands here once, so that its code does.
    for pass in 0..<2 {
      body(a, b, c, length)
      if pass == 1 || rest == 0 { break }
      left.update(from: x + whole, count: rest)
      right.update(from: y + whole, count: rest)
      (a, b, c, length) = (UnsafePointer(left), UnsafePointer(right), left, 16)
    }
    (z + whole).update(from: left, count: rest)
  }
}

/// y = f(x) for `count` values.
@inline(__always)
func map(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ count: Int, _ transform: (Lanes) -> Lanes
) {
  forWholeVectors(x, into: y, count) { x, y, count in
    var index = 0
    while index < count {
      transform(Lanes.load(x, index)).store(y, index)
      index &+= 16
    }
  }
}

/// z = f(x, y) for `count` values.
@inline(__always)
func map(
  _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, into z: UnsafeMutablePointer<Float>, _ count: Int,
  _ transform: (Lanes, Lanes) -> Lanes
) {
  forWholeVectors(x, y, into: z, count) { x, y, z, count in
    var index = 0
    while index < count {
      transform(Lanes.load(x, index), Lanes.load(y, index)).store(z, index)
      index &+= 16
    }
  }
}

// Kernel bodies get raw pointers from their trampolines.

@inline(__always)
func floats(_ pointer: UnsafeRawPointer) -> UnsafePointer<Float> { pointer.assumingMemoryBound(to: Float.self) }

@inline(__always)
func floats(_ pointer: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
  pointer.assumingMemoryBound(to: Float.self)
}
