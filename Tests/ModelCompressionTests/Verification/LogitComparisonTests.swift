import ModelCompute
import Testing

@testable import ModelCompression

@Suite struct LogitComparisonTests {
  /// F32 exponentials, summed in double.
  static let tolerance = 1e-5

  @Test(arguments: Metrics.shared.pairs) func agreesWithNumpy(_ pair: Metrics.Pair) {
    var sums = LogitComparisonSums()
    sums.add(
      Matrix(rows: pair.rows, columns: pair.columns, pair.a), Matrix(rows: pair.rows, columns: pair.columns, pair.b))
    let (found, expected) = (sums.result, pair.logits)
    #expect(found.tokenCount == pair.rows)
    #expect(agree(found.normalizedError, expected.normalized_error, within: 1e-12))
    #expect(found.topAgreement == expected.top_agreement)
    #expect(
      agree(found.divergence, expected.divergence, within: Self.tolerance)
        || abs(found.divergence - expected.divergence) < 1e-6)
  }

  @Test func leavesLogProbabilitiesBehind() {
    let (a, b) = (Matrix(rows: 1, columns: 2, [0, 0]), Matrix(rows: 1, columns: 2, [1, 1]))
    var sums = LogitComparisonSums()
    sums.add(a, b)
    for matrix in [a, b] { #expect(matrix.array.allSatisfy { abs($0 + 0.693_147_2) < 1e-6 }) }
  }

  @Test func aLogitThatIsNotANumberAgreesWithNothing() {
    var sums = LogitComparisonSums()
    sums.add(Matrix(rows: 1, columns: 3, [1, 2, 3]), Matrix(rows: 1, columns: 3, [1, .nan, 3]))
    #expect(sums.result.topAgreement == 0)
    #expect(!(sums.result.normalizedError <= 1))
    #expect(sums.result.divergence.isNaN)
  }
}
