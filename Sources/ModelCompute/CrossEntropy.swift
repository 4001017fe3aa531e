#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The mean over all tokens that have a next one of −log p(next token), in nats.
public struct CrossEntropy: LogitLoss, Sendable {
  /// The next token of each row; nil for the last of a sequence.
  public let targets: [Int?]
  /// Rows that have a target.
  public let count: Int
  /// Multiplies the loss: the share of a batch in a step of several.
  public let weight: Double

  public init(nextTokensOf batch: TokenBatch, weight: Double = 1) {
    self.weight = weight
    targets = batch.sequences.flatMap { sequence in
      sequence.map { $0 + 1 < sequence.upperBound ? batch.tokens[$0 + 1] : nil }
    }
    count = targets.count { $0 != nil }
  }

  /// The gradient in closed form: probabilities, less one at the target, over the count.
  public func evaluate(_ logits: Matrix, rows: Range<Int>) -> Double {
    precondition(logits.rows == rows.count)
    let losses = Matrix.zeros(rows: 1, columns: max(1, rows.count))
    let (targets, columns) = (targets, logits.columns)
    let weight = Float(weight / Double(max(1, count)))
    forEachRowRange(rows: rows.count, columns: columns, cost: 1) { part in
      for index in part {
        let row = logits.start + index * columns
        guard let target = targets[rows.lowerBound + index] else {
          row.update(repeating: 0, count: columns)
          continue
        }
        precondition(target >= 0 && target < columns, "token \(target) of \(columns)")
        let score = row[target]
        let (maximum, sum) = exponentiate(row, count: columns)
        losses.start[index] = log(sum) + (maximum - score)
        shiftAndScale(row, by: 0, factor: weight / sum, into: row, columns)
        row[target] -= weight
      }
    }
    return self.weight * losses.values.reduce(0) { $0 + Double($1) } / Double(max(1, count))
  }
}
