internal import CTensorKernels

/// What quantizing a row cost, summed as it was done.
public struct QuantizationSums: Hashable, Sendable {
  /// Σ w²
  public var signal: Float = 0
  /// Σ (w − scale · code)²
  public var noise: Float = 0
  /// Elements whose quotient was beyond ±448 and was cut off.
  public var clippedCount: Int32 = 0
  /// Elements that are not zero and became zero.
  public var zeroedCount: Int32 = 0

  public init() {}

  public mutating func add(_ other: QuantizationSums) {
    signal += other.signal
    noise += other.noise
    clippedCount += other.clippedCount
    zeroedCount += other.zeroedCount
  }
}

/// How the quotient of value and scale becomes a code.
public enum QuotientRounding: Sendable {
  /// Once: from F32.
  case single
  /// First to BF16, then to the code: the arithmetic of tools that divide in BF16.
  case throughBF16
}

extension Float8E4M3 {
  /// Quantizes a row and measures what that cost.
  ///
  /// Codes as by `encode(_:dividingBy:into:)`; sums are F32, which is exact to about a millionth for rows of usual length.
  /// - Parameters:
  ///   - row: any count of finite numbers.
  ///   - scale: above zero.
  ///   - bytes: as many bytes.
  public static func quantize(
    _ row: UnsafeBufferPointer<Float>, scale: Float, rounding: QuotientRounding,
    into bytes: UnsafeMutableRawBufferPointer
  ) -> QuantizationSums {
    precondition(bytes.count == row.count, "\(row.count) numbers do not fit \(bytes.count) bytes of E4M3")
    guard let x = row.baseAddress, let y = bytes.baseAddress else { return QuantizationSums() }
    return quantizeF32ToE4M3(row.count, x, y, scale: scale, rounding: rounding)
  }
}

// MARK: Codes and sums

/// Vectors of sums over the lanes.
private struct LaneSums {
  var signal = Floats16()
  var noise = Floats16()
  var clipped = Words16()
  var zeroed = Words16()
}

// v: 16 values    quotient: v / scale    result: 16 codes
@inline(__always)
private func quantized(_ v: Floats16, _ quotient: Floats16, _ scales: Floats16, _ sums: inout LaneSums) -> Bytes16 {
  let pattern = bits(quotient)
  let sign = pattern & all(Int32(bitPattern: 0x8000_0000))
  let unclamped = pattern & all(0x7FFF_FFFF)
  let magnitude = E4M3Magnitudes.clamped(unclamped)
  let rounded = E4M3Magnitudes(magnitude)
  let code = rounded.codes
  let error = v - floats(ofBits: rounded.values | sign) * scales
  sums.signal += v * v
  sums.noise += error * error
  let one = all(1)
  let none = all(0)
  sums.clipped &+= none.replacing(with: one, where: unclamped .> magnitude)
  let vanishes = none.replacing(with: one, where: code .== none)
  sums.zeroed &+= vanishes.replacing(with: none, where: bits(v) & all(0x7FFF_FFFF) .== none)
  return lowBytes(code | shiftedRight(sign, 24))
}

@inline(__always)
private func store(_ sums: LaneSums, _ output: UnsafeMutableRawPointer) {
  output.storeBytes(of: total(sums.signal), as: Float.self)
  output.storeBytes(of: total(sums.noise), toByteOffset: 4, as: Float.self)
  output.storeBytes(of: total(sums.clipped), toByteOffset: 8, as: Int32.self)
  output.storeBytes(of: total(sums.zeroed), toByteOffset: 12, as: Int32.self)
}

// x: count x F32    y: count x E4M3 of x / scale    s: signal, noise, clipped, zeroed
@_cdecl("mtconv_quantize_e4m3") @inline(__always)
func quantizeE4M3Body(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ scale: Float, _ s: UnsafeMutableRawPointer
) {
  let scales = Floats16(repeating: scale)
  var sums = LaneSums()
  mapLanes(count, x, y) { (v: Floats16) -> Bytes16 in quantized(v, v / scales, scales, &sums) }
  store(sums, s)
}

// The same with the quotient rounded to BF16.
@_cdecl("mtconv_quantize_e4m3_compat") @inline(__always)
func quantizeE4M3CompatBody(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ scale: Float, _ s: UnsafeMutableRawPointer
) {
  let scales = Floats16(repeating: scale)
  var sums = LaneSums()
  mapLanes(count, x, y) { (v: Floats16) -> Bytes16 in
    let quotient = bits(v / scales)
    let odd = shiftedRight(quotient, 16) & all(1)
    let rounded = (quotient &+ all(0x7FFF) &+ odd) & all(Int32(bitPattern: 0xFFFF_0000))
    return quantized(v, floats(ofBits: rounded), scales, &sums)
  }
  store(sums, s)
}

@inline(never)
package func quantizeF32ToE4M3(
  _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, scale: Float, rounding: QuotientRounding,
  at level: InstructionLevel = .current
) -> QuantizationSums {
  var sums = QuantizationSums()
  #if arch(x86_64)
    switch (level, rounding) {
    case (.v4, .single): mtconv_quantize_e4m3_v4(count, x, y, scale, &sums)
    case (.v3, .single): mtconv_quantize_e4m3_v3(count, x, y, scale, &sums)
    case (.baseline, .single): quantizeE4M3Body(count, x, y, scale, &sums)
    case (.v4, .throughBF16): mtconv_quantize_e4m3_compat_v4(count, x, y, scale, &sums)
    case (.v3, .throughBF16): mtconv_quantize_e4m3_compat_v3(count, x, y, scale, &sums)
    case (.baseline, .throughBF16): quantizeE4M3CompatBody(count, x, y, scale, &sums)
    }
  #else
    switch rounding {
    case .single: quantizeE4M3Body(count, x, y, scale, &sums)
    case .throughBF16: quantizeE4M3CompatBody(count, x, y, scale, &sums)
    }
  #endif
  return sums
}
