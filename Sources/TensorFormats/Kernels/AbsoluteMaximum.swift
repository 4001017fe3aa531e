internal import CTensorKernels

/// The largest magnitude of a row and what stood in its way: the reduction behind every scale.
public struct AbsoluteMaximum: Hashable, Sendable {
  /// The largest finite magnitude; 0 if there is none.
  public var value: Float
  /// How many elements are infinite or NaN.
  public var nonFiniteCount: Int

  public init(value: Float = 0, nonFiniteCount: Int = 0) {
    self.value = value
    self.nonFiniteCount = nonFiniteCount
  }

  public var isFinite: Bool { nonFiniteCount == 0 }

  /// Takes the elements of another row in.
  public mutating func formUnion(_ other: AbsoluteMaximum) {
    value = max(value, other.value)
    nonFiniteCount += other.nonFiniteCount
  }
}

/// The largest finite magnitude of `row`, and the number of its infinite and NaN elements.
public func absoluteMaximum(of row: UnsafeBufferPointer<Float>) -> AbsoluteMaximum {
  absoluteMaximum(of: row, at: .current)
}

package func absoluteMaximum(of row: UnsafeBufferPointer<Float>, at level: InstructionLevel) -> AbsoluteMaximum {
  guard let start = row.baseAddress, !row.isEmpty else { return AbsoluteMaximum() }
  // Magnitudes order as their bit patterns do, with infinity and the NaNs on top.
  let pattern = largestMagnitudePattern(row.count, start, at: level)
  if pattern < 0x7F80_0000 { return AbsoluteMaximum(value: Float(bitPattern: pattern)) }
  var result = AbsoluteMaximum()
  for value in row {
    if value.isFinite { result.value = max(result.value, value.magnitude) } else { result.nonFiniteCount += 1 }
  }
  return result
}

// x: count x F32    y: one UInt32, the largest bit pattern without sign
@_cdecl("mtconv_absolute_maximum") @inline(__always)
func absoluteMaximumBody(_ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  let mask = all(0x7FFF_FFFF)
  var a = all(0)
  var b = all(0)
  var c = all(0)
  var d = all(0)
  var i = 0
  while i + 64 <= count {
    let from = x + 4 * i
    a = larger(a, from.loadUnaligned(as: Words16.self) & mask)
    b = larger(b, from.loadUnaligned(fromByteOffset: 64, as: Words16.self) & mask)
    c = larger(c, from.loadUnaligned(fromByteOffset: 128, as: Words16.self) & mask)
    d = larger(d, from.loadUnaligned(fromByteOffset: 192, as: Words16.self) & mask)
    i += 64
  }
  var result = largest(larger(larger(a, b), larger(c, d)))
  while i < count {
    result = max(result, x.loadUnaligned(fromByteOffset: 4 * i, as: Int32.self) & 0x7FFF_FFFF)
    i += 1
  }
  y.storeBytes(of: UInt32(bitPattern: result), as: UInt32.self)
}

@inline(never)
private func largestMagnitudePattern(_ count: Int, _ x: UnsafeRawPointer, at level: InstructionLevel) -> UInt32 {
  var result: UInt32 = 0
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_absolute_maximum_v4(count, x, &result)
    case .v3: mtconv_absolute_maximum_v3(count, x, &result)
    case .baseline: absoluteMaximumBody(count, x, &result)
    }
  #else
    absoluteMaximumBody(count, x, &result)
  #endif
  return result
}
