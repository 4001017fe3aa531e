import ModelArchitectures
import TensorFormats
import Testing

@Suite struct RotaryTests {
  /// The oracle is computed in 32-bit floats, and its rounding is amplified where the interpolation is steep.
  static let tolerance = 4e-5

  @Test func llama3DivisorsAreThoseOfTheReferenceFormula() throws {
    for row in try #require(oracle("rotary_factors").array) {
      let base = try #require(row["base"]?.double)
      let rotary = Rotary(
        base: base, dimension: try #require(row["dimension"]?.int),
        scaling: .llama3(
          factor: try #require(row["factor"]?.double), lowFrequencyFactor: try #require(row["low"]?.double),
          highFrequencyFactor: try #require(row["high"]?.double), originalContext: try #require(row["original"]?.int)))
      let table = try #require(row["table"]?.array).compactMap(\.double)
      #expect(rotary.frequencyDivisors.count == table.count)
      for (divisor, expected) in zip(rotary.frequencyDivisors, table) {
        #expect(abs(divisor - expected) <= Self.tolerance * expected, "\(row["name"]?.string ?? "")")
      }
    }
  }

  @Test func frequenciesFallGeometricallyAndScalingDividesThem() {
    let plain = Rotary(base: 10_000, dimension: 8).frequencies
    #expect(plain.count == 4)
    #expect(zip(plain, [1, 0.1, 0.01, 0.001]).allSatisfy { abs($0 - $1) < 1e-15 })
    let halved = Rotary(base: 10_000, dimension: 8, scaling: .linear(factor: 2)).frequencies
    #expect(zip(plain, halved).allSatisfy { $0 == 2 * $1 })
  }
}
