import ModelArchitectures
import TensorFormats
import Testing

@testable import ModelCheckpoints

@Suite struct RotaryFactorFitTests {
  @Test func findsTheParametersOfEveryTable() throws {
    for row in try #require(oracle("rotary_factors").array) {
      let table = try #require(row["table"]?.array).compactMap { $0.double.map(Float.init) }
      let fit = RotaryFactorFit.fit(
        table, base: try #require(row["base"]?.double), dimension: try #require(row["dimension"]?.int))
      let expected = RotaryScaling.llama3(
        factor: try #require(row["factor"]?.double), lowFrequencyFactor: try #require(row["low"]?.double),
        highFrequencyFactor: try #require(row["high"]?.double), originalContext: try #require(row["original"]?.int))
      #expect(fit == expected, "\(row["name"]?.string ?? "")")
    }
  }

  @Test(arguments: [8, 12, 16], [32, 100, 8192, 12345])
  func tablesWithFewInterpolatedEntriesAreFittedToo(dimension: Int, context: Int) {
    for base in [100.0, 7000, 500_000] {
      let scaling = RotaryScaling.llama3(
        factor: 6, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: context)
      let table = Rotary(base: base, dimension: dimension, scaling: scaling).frequencyDivisors.map(Float.init)
      let fit = RotaryFactorFit.fit(table, base: base, dimension: dimension)
      // Other parameters may give the same table; the table is what counts.
      let again = fit.map { Rotary(base: base, dimension: dimension, scaling: $0).frequencyDivisors }
      let isEqual = again.map { zip($0, table).allSatisfy { abs($0 - Double($1)) <= 1e-5 * $0 } }
      #expect(isEqual == true, "base \(base): \(table)")
    }
  }

  @Test func aTableOfOnesIsNoScaling() {
    #expect(RotaryFactorFit.fit([1, 1, 1, 1], base: 10_000, dimension: 8) == RotaryScaling.none)
  }

  @Test func refusesWhatNoLlama3ScalingGives() {
    func fit(_ table: [Float], dimension: Int? = nil) -> RotaryScaling? {
      RotaryFactorFit.fit(table, base: 500_000, dimension: dimension ?? 2 * table.count)
    }
    #expect(fit([1, 2, 1, 2]) == nil)
    #expect(fit([8, 8, 1, 1]) == nil)
    #expect(fit([1, 1, .nan, 8]) == nil)
    #expect(fit([1, 1, .infinity, 8]) == nil)
    #expect(fit([0, 0, 0, 0]) == nil)
    #expect(fit([-1, -1, -1, -1]) == nil)
    #expect(fit([]) == nil)
    #expect(fit([1, 1, 8, 8], dimension: 16) == nil)
    let scaling = RotaryScaling.llama3(
      factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192)
    var table = Rotary(base: 500_000, dimension: 128, scaling: scaling).frequencyDivisors.map(Float.init)
    let index = table.firstIndex { $0 > 1 && $0 < 8 }!
    table[index] *= 1.001
    #expect(fit(table) == nil)
  }
}
