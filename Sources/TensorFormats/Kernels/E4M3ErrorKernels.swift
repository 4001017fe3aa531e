internal import CTensorKernels

extension Float8E4M3 {
  /// For each of `scales` adds Σ (w − scale · code)² over `row` to `errors`, without making codes: what a search for the best scale
  /// compares. Multiplies by the reciprocal, so that single elements may differ from `quantize` by a rounding.
  public static func addErrors(
    of row: UnsafeBufferPointer<Float>, scales: UnsafeBufferPointer<Float>, to errors: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(scales.count == errors.count)
    guard let x = row.baseAddress, let s = scales.baseAddress, let e = errors.baseAddress else { return }
    addE4M3Errors(row.count, x, s, e, candidates: scales.count)
  }

  /// The same with each square multiplied by the weight of its place.
  public static func addErrors(
    of row: UnsafeBufferPointer<Float>, weightedBy weights: UnsafeBufferPointer<Float>,
    scales: UnsafeBufferPointer<Float>, to errors: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(scales.count == errors.count && weights.count == row.count)
    guard let x = row.baseAddress, let w = weights.baseAddress, let s = scales.baseAddress, let e = errors.baseAddress
    else { return }
    addE4M3WeightedErrors(row.count, x, w, s, e, candidates: scales.count)
  }
}

@inline(__always)
private func squaredErrors(_ magnitude: Floats16, _ reciprocals: Floats16, _ scales: Floats16) -> Floats16 {
  let quotient = bits(magnitude * reciprocals)
  let limit = all(0x43E0_0000)  // 448
  let clamped = quotient.replacing(with: limit, where: quotient .> limit)
  // A power of two 2^20 above the number's own (and not below that of 2^-6) has its last bit where the code has its: adding and
  // taking it away rounds.
  let least = all(0x3C80_0000)
  let exponent = clamped & all(0x7F80_0000)
  let shift = floats(ofBits: exponent.replacing(with: least, where: exponent .< least) &+ all(20 << 23))
  let sum = floats(ofBits: clamped) + shift
  let error = magnitude - (sum - shift) * scales
  return error * error
}

/// Adds for each candidate the squared errors of all values to `e`, each as `weigh` makes it count: the place of its vector.
@inline(__always)
private func addErrors(
  _ count: Int, _ x: UnsafeRawPointer, _ s: UnsafeRawPointer, _ e: UnsafeMutableRawPointer, _ candidates: Int,
  weigh: (_ squares: Floats16, _ vector: Int) -> Floats16
) {
  let vectors = count / 16
  let last = floats(ofBits: bits(remainder(of: x, count)) & all(0x7FFF_FFFF))
  for candidate in 0..<candidates {
    let scale = s.loadUnaligned(fromByteOffset: 4 * candidate, as: Float.self)
    let scales = Floats16(repeating: scale)
    let reciprocals = Floats16(repeating: 1 / scale)
    var sum = weigh(squaredErrors(last, reciprocals, scales), vectors)
    for i in 0..<vectors {
      let v = (x + 64 * i).loadUnaligned(as: Words16.self) & all(0x7FFF_FFFF)
      sum += weigh(squaredErrors(floats(ofBits: v), reciprocals, scales), i)
    }
    let before = e.loadUnaligned(fromByteOffset: 4 * candidate, as: Float.self)
    e.storeBytes(of: before + total(sum), toByteOffset: 4 * candidate, as: Float.self)
  }
}

/// The values behind the last whole vector, and zeros.
@inline(__always)
private func remainder(of x: UnsafeRawPointer, _ count: Int) -> Floats16 {
  var last = Floats16()
  withUnsafeMutableBytes(of: &last) {
    $0.baseAddress!.copyMemory(from: x + 64 * (count / 16), byteCount: 4 * (count % 16))
  }
  return last
}

// x: count x F32    s: candidates x F32    e: candidates x F32, added to
@_cdecl("mtconv_e4m3_errors") @inline(__always)
func e4m3ErrorsBody(
  _ count: Int, _ x: UnsafeRawPointer, _ s: UnsafeRawPointer, _ e: UnsafeMutableRawPointer, _ candidates: Int
) {
  addErrors(count, x, s, e, candidates) { squares, _ in squares }
}

@inline(never)
package func addE4M3Errors(
  _ count: Int, _ x: UnsafeRawPointer, _ s: UnsafeRawPointer, _ e: UnsafeMutableRawPointer, candidates: Int,
  at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_e4m3_errors_v4(count, x, s, e, candidates)
    case .v3: mtconv_e4m3_errors_v3(count, x, s, e, candidates)
    case .baseline: e4m3ErrorsBody(count, x, s, e, candidates)
    }
  #else
    e4m3ErrorsBody(count, x, s, e, candidates)
  #endif
}

// x: count x F32    w: count x F32    s: candidates x F32    e: candidates x F32, added to
@_cdecl("mtconv_e4m3_weighted_errors") @inline(__always)
func e4m3WeightedErrorsBody(
  _ count: Int, _ x: UnsafeRawPointer, _ w: UnsafeRawPointer, _ s: UnsafeRawPointer, _ e: UnsafeMutableRawPointer,
  _ candidates: Int
) {
  let (vectors, last) = (count / 16, remainder(of: w, count))
  addErrors(count, x, s, e, candidates) { squares, vector in
    squares * (vector == vectors ? last : (w + 64 * vector).loadUnaligned(as: Floats16.self))
  }
}

@inline(never)
package func addE4M3WeightedErrors(
  _ count: Int, _ x: UnsafeRawPointer, _ w: UnsafeRawPointer, _ s: UnsafeRawPointer, _ e: UnsafeMutableRawPointer,
  candidates: Int, at level: InstructionLevel = .current
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_e4m3_weighted_errors_v4(count, x, w, s, e, candidates)
    case .v3: mtconv_e4m3_weighted_errors_v3(count, x, w, s, e, candidates)
    case .baseline: e4m3WeightedErrorsBody(count, x, w, s, e, candidates)
    }
  #else
    e4m3WeightedErrorsBody(count, x, w, s, e, candidates)
  #endif
}
