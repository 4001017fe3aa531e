#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Turns `count` scores, at least one, into eˣ⁻ᵐ with m the largest of them.
///
/// - Returns: m, and the sum of what is written.
func exponentiate(_ x: UnsafeMutablePointer<Float>, count: Int) -> (maximum: Float, sum: Float) {
  let maximum = largest(x, count)
  let offset = Lanes(repeating: maximum)
  var sums = Lanes(repeating: 0)
  var index = 0
  while index &+ 16 <= count {
    let power = (Lanes.load(x, index) - offset).exponential
    power.store(x, index)
    sums += power
    index &+= 16
  }
  if index < count {
    // Lanes that hold no score add nothing.
    let rest = count &- index
    let power = (Lanes.load(x, index, count: rest, filling: -.infinity) - offset).exponential
    power.store(x, index, count: rest)
    sums += power
  }
  return (maximum, sums.total)
}

/// Turns `count` scores, at least one, into probabilities.
func softmax(_ x: UnsafeMutablePointer<Float>, count: Int) {
  let sum = exponentiate(x, count: count).sum
  shiftAndScale(x, by: 0, factor: 1 / sum, into: x, count)
}

extension Matrix {
  /// Turns every row of logits into probabilities, in place.
  public func applySoftmax() {
    guard columns > 0 else { return }
    forEachRowRange(rows: rows, columns: columns, cost: 1) { rows in
      for row in rows { softmax(self.start + row * self.columns, count: self.columns) }
    }
  }

  /// Turns every row of logits into log-probabilities, in place.
  public func applyLogSoftmax() {
    guard columns > 0 else { return }
    let scratchColumns = columns
    forEachRowRange(rows: rows, columns: columns, cost: 1.5) { rows in
      let scratch = Matrix(rows: 1, columns: scratchColumns)
      for row in rows {
        let start = self.start + row * scratchColumns
        scratch.start.update(from: start, count: scratchColumns)
        let (maximum, sum) = exponentiate(scratch.start, count: scratchColumns)
        shiftAndScale(start, by: -maximum - log(sum), factor: 1, into: start, scratchColumns)
      }
    }
  }
}
