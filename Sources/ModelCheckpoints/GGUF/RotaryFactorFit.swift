#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
internal import ModelArchitectures

/// Finds the Llama 3 scaling that a `rope_freqs.weight` table was made with.
///
/// The table does not hold the parameters, only what follows from them. Between the two wavelengths the interpolation is linear in
/// the frequency, so two of the four parameters follow from a line through the points there, the factor is the largest entry, and
/// the last is free: a common scale of context and frequency factors, fixed by `low_freq_factor = 1` as every released model has.
enum RotaryFactorFit {
  /// Relative. The tables of llama.cpp's converter are computed in 32-bit floats, and the interpolation amplifies their rounding.
  static let tolerance = 1e-5

  /// Nil if no Llama 3 scaling gives this table to within `tolerance`.
  static func fit(_ table: [Float], base: Double, dimension: Int) -> RotaryScaling? {
    guard table.count == dimension / 2, let largest = table.max(), largest.isFinite,
      // The shortest decimal of a 32-bit float is what its author wrote.
      let factor = Double(largest.description)
    else { return nil }
    if table.allSatisfy({ $0 == 1 }) { return RotaryScaling.none }
    return candidates(table, base: base, dimension: dimension, factor: factor).first { scaling in
      let divisors = Rotary(base: base, dimension: dimension, scaling: scaling).frequencyDivisors
      return zip(divisors, table).allSatisfy { abs($0 - Double($1)) <= tolerance * Double($1) }
    }
  }

  private static func candidates(
    _ table: [Float], base: Double, dimension: Int, factor: Double
  ) -> [RotaryScaling] {
    func scaling(_ high: Double, _ original: Double) -> RotaryScaling {
      .llama3(
        factor: factor, lowFrequencyFactor: 1, highFrequencyFactor: high, originalContext: Int(original.rounded()))
    }
    // With fewer than two interpolated points many parameters give the same table; the released ones come first.
    let known =
      ([8192.0, 4096, 2048, 16384, 32768] + contexts(table, base: base, dimension: dimension, factor: factor))
      .map { scaling(4, $0) }
    guard let line = line(table, base: base, dimension: dimension, factor: factor) else { return known }
    let high = 1 - 1 / line.intercept
    let original = line.slope * 2 * Double.pi * (high - 1)
    guard high.isFinite, original.isFinite, abs(original) < 1e15 else { return known }
    return [scaling(high.rounded(), original), scaling(high, original)] + known
  }

  /// Original contexts that high = 4 and low = 1 would need: for each interpolated entry, or, if there is none, between the last
  /// entry of one and the first of the factor.
  private static func contexts(_ table: [Float], base: Double, dimension: Int, factor: Double) -> [Double] {
    func wavelength(_ index: Int) -> Double { 2 * Double.pi * pow(base, 2 * Double(index) / Double(dimension)) }
    let points = interpolated(table, factor: factor)
    if points.isEmpty, let first = table.firstIndex(where: { $0 > 1 }), first > 0 {
      let context = (4 * wavelength(first - 1) * wavelength(first)).squareRoot()
      return context.isFinite && context < 1e15 ? [context] : []
    }
    return points.compactMap { index in
      let smooth = (1 / Double(table[index]) - 1 / factor) / (1 - 1 / factor)
      let context = wavelength(index) * (1 + 3 * smooth)
      return context.isFinite && context < 1e15 ? context : nil
    }
  }

  private static func interpolated(_ table: [Float], factor: Double) -> [Int] {
    table.indices.filter { table[$0] > 1.000001 && Double(table[$0]) < factor * 0.999999 }
  }

  /// Least squares of smooth = slope · frequency + intercept over the interpolated points.
  private static func line(
    _ table: [Float], base: Double, dimension: Int, factor: Double
  ) -> (slope: Double, intercept: Double)? {
    let points = interpolated(table, factor: factor).map { index in
      let frequency = pow(base, -2 * Double(index) / Double(dimension))
      return (x: frequency, y: (1 / Double(table[index]) - 1 / factor) / (1 - 1 / factor))
    }
    guard points.count >= 2 else { return nil }
    let count = Double(points.count)
    let meanX = points.reduce(0) { $0 + $1.x } / count
    let meanY = points.reduce(0) { $0 + $1.y } / count
    let covariance = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
    let variance = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
    guard variance > 0 else { return nil }
    let slope = covariance / variance
    return (slope, meanY - slope * meanX)
  }
}
