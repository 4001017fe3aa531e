internal import ModelCompute

/// How far the next-token distributions of one model are from those of another, over the same tokens.
public struct LogitComparison: Sendable, Codable {
  /// Σ(a − b)² ÷ Σa² over all logits.
  public let normalizedError: Double
  /// Mean over tokens of KL(a ‖ b), in nats.
  public let divergence: Double
  /// Share of tokens at which both find the same token most likely.
  public let topAgreement: Double
  public let tokenCount: Int
}

/// Gathers a comparison panel by panel; sums are made row by row on all cores and added in order.
struct LogitComparisonSums {
  private var errors = ErrorSums()
  private var divergence = 0.0
  private var agreements = 0
  private var count = 0

  /// Adds logits of the same tokens, `rows × vocabulary`, and turns both into log-probabilities.
  mutating func add(_ a: Matrix, _ b: Matrix) {
    errors.add(a, b)
    agreements += a.mapRows { $0.top != nil && $0.top == b[$1].top }.count { $0 }
    a.applyLogSoftmax()
    b.applyLogSoftmax()
    let probabilities = a.copy()
    probabilities.applySoftmax()
    let divergences = probabilities.mapRows { Self.divergence($0, a[$1], b[$1]) }
    divergence += divergences.reduce(0, +)
    count += a.rows
  }

  var result: LogitComparison {
    let tokens = Double(max(count, 1))
    // Rounding may leave equal distributions a little below zero; NaN stays NaN.
    let mean = divergence / tokens
    return LogitComparison(
      normalizedError: errors.normalizedError, divergence: mean < 0 ? 0 : mean,
      topAgreement: Double(agreements) / tokens, tokenCount: count)
  }

  // KL(p ‖ q) = Σ p (log p − log q); what has no probability adds nothing, however unlikely it is to the other.
  private static func divergence(_ p: UnsafeBuffer, _ logP: UnsafeBuffer, _ logQ: UnsafeBuffer) -> Double {
    var sum = 0.0
    for index in p.indices where p[index] != 0 { sum += Double(p[index]) * Double(logP[index] - logQ[index]) }
    return sum
  }

  private typealias UnsafeBuffer = UnsafeMutableBufferPointer<Float>
}

extension ErrorSums {
  /// Adds two matrices of the same size, row by row on all cores.
  mutating func add(_ a: Matrix, _ b: Matrix) {
    let rows = a.mapRows { row, index in
      var sums = ErrorSums()
      sums.add(UnsafeBufferPointer(row), UnsafeBufferPointer(b[index]))
      return sums
    }
    for sums in rows { add(sums) }
  }
}

extension Matrix {
  /// What `body` makes of each row, in order, on all cores.
  func mapRows<Result: Sendable>(
    _ body: @Sendable (_ row: UnsafeMutableBufferPointer<Float>, _ index: Int) -> Result
  ) -> [Result] {
    parallelMap(of: rows, chunk: (1 << 18) / max(columns, 1)) { body(self[$0], $0) }
  }
}

extension UnsafeMutableBufferPointer<Float> {
  /// Index of the largest value; of equals, the first. Nil if one is not a number.
  var top: Int? {
    guard var best = indices.first else { return nil }
    for index in indices {
      let value = self[index]
      if value.isNaN { return nil }
      if value > self[best] { best = index }
    }
    return best
  }
}
