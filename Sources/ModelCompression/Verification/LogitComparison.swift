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

/// Gathers a comparison panel by panel.
struct LogitComparisonSums {
  private var errors = ErrorSums()
  private var divergence = 0.0
  private var agreements = 0
  private var count = 0

  /// Adds logits of the same tokens, `rows × vocabulary`.
  mutating func add(_ a: Matrix, _ b: Matrix) {
    for row in 0..<a.rows {
      errors.add(UnsafeBufferPointer(a[row]), UnsafeBufferPointer(b[row]))
      if a.top(row) == b.top(row) { agreements += 1 }
    }
    count += a.rows
    divergence += Self.divergence(a, b)
  }

  var result: LogitComparison {
    let tokens = Double(max(count, 1))
    return LogitComparison(
      normalizedError: errors.normalizedError, divergence: max(0, divergence / tokens),
      topAgreement: Double(agreements) / tokens, tokenCount: count)
  }

  // KL(p ‖ q) = Σ p (log p − log q)
  private static func divergence(_ a: Matrix, _ b: Matrix) -> Double {
    let (p, logP, logQ) = (a.copy(), a.copy(), b.copy())
    p.applySoftmax()
    logP.applyLogSoftmax()
    logQ.applyLogSoftmax()
    var sum = 0.0
    for index in 0..<p.count { sum += Double(p.values[index]) * Double(logP.values[index] - logQ.values[index]) }
    return sum
  }
}

extension Matrix {
  /// Column of the largest value in a row; of equals, the first.
  func top(_ row: Int) -> Int {
    let values = self[row]
    var best = 0
    for index in values.indices where values[index] > values[best] { best = index }
    return best
  }
}
