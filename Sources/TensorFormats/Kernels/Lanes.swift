// Vectors of sixteen lanes and the conversions between them.
//
// The lanes are spelled out because the generic conversions of the standard library do not become single instructions inside
// the trampolines of CTensorKernels; neither do vectors of more than sixteen lanes, nor comparisons with a scalar.
// Everything here is inlined always: a call would leave the wider instruction set.

typealias Bytes16 = SIMD16<UInt8>
typealias Halves16 = SIMD16<UInt16>
typealias Words16 = SIMD16<Int32>
typealias Floats16 = SIMD16<Float>

/// Applies `transform` to `count` elements, sixteen at a time; the last vector may be partly filled with zeros.
@inline(__always)
func mapLanes<Source: SIMDScalar & BitwiseCopyable, Target: SIMDScalar & BitwiseCopyable>(
  _ count: Int, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer,
  _ transform: (SIMD16<Source>) -> SIMD16<Target>
) {
  let sourceStride = 16 * MemoryLayout<Source>.stride
  let targetStride = 16 * MemoryLayout<Target>.stride
  let vectors = count / 16
  var i = 0
  while i + 4 <= vectors {
    let from = source + i * sourceStride
    let to = target + i * targetStride
    let a = transform(from.loadUnaligned(as: SIMD16<Source>.self))
    let b = transform(from.loadUnaligned(fromByteOffset: sourceStride, as: SIMD16<Source>.self))
    let c = transform(from.loadUnaligned(fromByteOffset: 2 * sourceStride, as: SIMD16<Source>.self))
    let d = transform(from.loadUnaligned(fromByteOffset: 3 * sourceStride, as: SIMD16<Source>.self))
    to.storeBytes(of: a, as: SIMD16<Target>.self)
    to.storeBytes(of: b, toByteOffset: targetStride, as: SIMD16<Target>.self)
    to.storeBytes(of: c, toByteOffset: 2 * targetStride, as: SIMD16<Target>.self)
    to.storeBytes(of: d, toByteOffset: 3 * targetStride, as: SIMD16<Target>.self)
    i += 4
  }
  while i < vectors {
    let vector = (source + i * sourceStride).loadUnaligned(as: SIMD16<Source>.self)
    (target + i * targetStride).storeBytes(of: transform(vector), as: SIMD16<Target>.self)
    i += 1
  }
  let rest = count - vectors * 16
  if rest > 0 {
    var vector = SIMD16<Source>()
    let sourceBytes = rest * MemoryLayout<Source>.stride
    withUnsafeMutableBytes(of: &vector) { lanes in
      lanes.baseAddress!.copyMemory(from: source + i * sourceStride, byteCount: sourceBytes)
    }
    let result = transform(vector)
    let targetBytes = rest * MemoryLayout<Target>.stride
    withUnsafeBytes(of: result) { lanes in
      (target + i * targetStride).copyMemory(from: lanes.baseAddress!, byteCount: targetBytes)
    }
  }
}

@inline(__always) func all(_ value: Int32) -> Words16 { Words16(repeating: value) }
@inline(__always) func bits(_ v: Floats16) -> Words16 { unsafeBitCast(v, to: Words16.self) }
@inline(__always) func floats(ofBits v: Words16) -> Floats16 { unsafeBitCast(v, to: Floats16.self) }

@inline(__always)
func shiftedRight(_ v: Words16, _ count: UInt32) -> Words16 {
  unsafeBitCast(unsafeBitCast(v, to: SIMD16<UInt32>.self) &>> SIMD16<UInt32>(repeating: count), to: Words16.self)
}

@inline(__always) func larger(_ a: Words16, _ b: Words16) -> Words16 { a.replacing(with: b, where: a .< b) }

/// The largest lane. (`lowHalf` and `highHalf` would split the vector into pairs of lanes.)
@inline(__always)
func largest(_ v: Words16) -> Int32 {
  let low = SIMD8<Int32>(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
  let high = SIMD8<Int32>(v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15])
  let eight = low.replacing(with: high, where: low .< high)
  let left = SIMD4<Int32>(eight[0], eight[1], eight[2], eight[3])
  let right = SIMD4<Int32>(eight[4], eight[5], eight[6], eight[7])
  let four = left.replacing(with: right, where: left .< right)
  let crossed = SIMD4<Int32>(four[2], four[3], four[0], four[1])
  let two = four.replacing(with: crossed, where: four .< crossed)
  let swapped = SIMD4<Int32>(two[1], two[0], two[3], two[2])
  return two.replacing(with: swapped, where: two .< swapped)[0]
}

/// The sum of the lanes, halves added to halves: the same order at every level.
@inline(__always)
func total(_ v: Floats16) -> Float {
  let low = SIMD8<Float>(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
  let high = SIMD8<Float>(v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15])
  let eight = low + high
  let four = SIMD4<Float>(eight[0], eight[1], eight[2], eight[3]) + SIMD4<Float>(eight[4], eight[5], eight[6], eight[7])
  return (four[0] + four[2]) + (four[1] + four[3])
}

@inline(__always)
func total(_ v: Words16) -> Int32 {
  let low = SIMD8<Int32>(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
  let high = SIMD8<Int32>(v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15])
  let eight = low &+ high
  let left = SIMD4<Int32>(eight[0], eight[1], eight[2], eight[3])
  let four = left &+ SIMD4<Int32>(eight[4], eight[5], eight[6], eight[7])
  return (four[0] &+ four[2]) &+ (four[1] &+ four[3])
}

// MARK: Lane conversions

@inline(__always)
func widened(_ v: Bytes16) -> Words16 {
  Words16(
    Int32(v[0]), Int32(v[1]), Int32(v[2]), Int32(v[3]), Int32(v[4]), Int32(v[5]), Int32(v[6]), Int32(v[7]),
    Int32(v[8]), Int32(v[9]), Int32(v[10]), Int32(v[11]), Int32(v[12]), Int32(v[13]), Int32(v[14]), Int32(v[15]))
}

@inline(__always)
func widened(_ v: SIMD16<Int8>) -> Words16 {
  Words16(
    Int32(v[0]), Int32(v[1]), Int32(v[2]), Int32(v[3]), Int32(v[4]), Int32(v[5]), Int32(v[6]), Int32(v[7]),
    Int32(v[8]), Int32(v[9]), Int32(v[10]), Int32(v[11]), Int32(v[12]), Int32(v[13]), Int32(v[14]), Int32(v[15]))
}

@inline(__always)
func widened(_ v: Halves16) -> Words16 {
  Words16(
    Int32(v[0]), Int32(v[1]), Int32(v[2]), Int32(v[3]), Int32(v[4]), Int32(v[5]), Int32(v[6]), Int32(v[7]),
    Int32(v[8]), Int32(v[9]), Int32(v[10]), Int32(v[11]), Int32(v[12]), Int32(v[13]), Int32(v[14]), Int32(v[15]))
}

@inline(__always)
func lowBytes(_ v: Words16) -> Bytes16 {
  Bytes16(
    UInt8(truncatingIfNeeded: v[0]), UInt8(truncatingIfNeeded: v[1]), UInt8(truncatingIfNeeded: v[2]),
    UInt8(truncatingIfNeeded: v[3]), UInt8(truncatingIfNeeded: v[4]), UInt8(truncatingIfNeeded: v[5]),
    UInt8(truncatingIfNeeded: v[6]), UInt8(truncatingIfNeeded: v[7]), UInt8(truncatingIfNeeded: v[8]),
    UInt8(truncatingIfNeeded: v[9]), UInt8(truncatingIfNeeded: v[10]), UInt8(truncatingIfNeeded: v[11]),
    UInt8(truncatingIfNeeded: v[12]), UInt8(truncatingIfNeeded: v[13]), UInt8(truncatingIfNeeded: v[14]),
    UInt8(truncatingIfNeeded: v[15]))
}

@inline(__always)
func lowHalves(_ v: Words16) -> Halves16 {
  Halves16(
    UInt16(truncatingIfNeeded: v[0]), UInt16(truncatingIfNeeded: v[1]), UInt16(truncatingIfNeeded: v[2]),
    UInt16(truncatingIfNeeded: v[3]), UInt16(truncatingIfNeeded: v[4]), UInt16(truncatingIfNeeded: v[5]),
    UInt16(truncatingIfNeeded: v[6]), UInt16(truncatingIfNeeded: v[7]), UInt16(truncatingIfNeeded: v[8]),
    UInt16(truncatingIfNeeded: v[9]), UInt16(truncatingIfNeeded: v[10]), UInt16(truncatingIfNeeded: v[11]),
    UInt16(truncatingIfNeeded: v[12]), UInt16(truncatingIfNeeded: v[13]), UInt16(truncatingIfNeeded: v[14]),
    UInt16(truncatingIfNeeded: v[15]))
}

@inline(__always)
func floats(_ v: Words16) -> Floats16 {
  Floats16(
    Float(v[0]), Float(v[1]), Float(v[2]), Float(v[3]), Float(v[4]), Float(v[5]), Float(v[6]), Float(v[7]),
    Float(v[8]), Float(v[9]), Float(v[10]), Float(v[11]), Float(v[12]), Float(v[13]), Float(v[14]), Float(v[15]))
}
