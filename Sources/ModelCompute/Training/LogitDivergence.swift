#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// How far the next-token distribution of a student is from that of its teacher, the mean over all tokens of a batch; and, if
/// asked for, a share of cross-entropy.
///
/// loss = (1 − w) · τ² · mean D(softmax(t/τ), softmax(s/τ)) + w · cross-entropy, with logits t of the teacher and s of the student.
/// The factor τ² keeps gradients of one size for every temperature (Hinton et al., arXiv 1503.02531). Gradients are in closed form
/// and written over the student's logits, so that the batch's logits never exist at once.
///
/// Where the vocabularies differ in size, both distributions are over the tokens that both have.
public struct LogitDivergence: LogitLoss {
  public enum Kind: Sendable, Hashable {
    /// Σ pₜ · log(pₜ / pₛ): what Minitron found best (arXiv 2407.14679, tables 15 and 16).
    case forwardKL
    /// Σ pₛ · log(pₛ / pₜ)
    case reverseKL
    /// β · KL(pₜ ‖ m) + (1 − β) · KL(pₛ ‖ m) with m = β · pₜ + (1 − β) · pₛ (Agarwal et al., arXiv 2306.13649); 0 < β < 1.
    case jensenShannon(beta: Float)
  }

  /// What is known of the teacher for some rows of the batch.
  public enum Teacher {
    /// All its logits, `rows × vocabulary`, which may be overwritten.
    case logits((Range<Int>) throws -> Matrix)
    /// Its most likely tokens and what is left for all others together.
    case top((Range<Int>) throws -> [TopProbabilities])
  }

  public let kind: Kind
  public let temperature: Float
  /// Tokens that the mean is over.
  public let count: Int
  /// The share w of cross-entropy and the tokens it asks for.
  public let crossEntropy: (weight: Float, loss: CrossEntropy)?
  private let teacher: Teacher

  /// - Parameter count: tokens of the whole batch; more than those of one pass if gradients of several are added.
  public init(
    _ kind: Kind = .forwardKL, temperature: Float = 1, over count: Int, from teacher: Teacher,
    mixing crossEntropy: (weight: Float, loss: CrossEntropy)? = nil
  ) {
    precondition(temperature > 0 && count > 0)
    self.kind = kind
    self.temperature = temperature
    self.count = count
    self.teacher = teacher
    self.crossEntropy = crossEntropy
  }

  public func evaluate(_ logits: Matrix, rows: Range<Int>) throws -> Double {
    precondition(logits.rows == rows.count)
    guard let crossEntropy else { return try diverge(logits, rows, weight: 1) }
    let other = logits.copy()
    let entropy = crossEntropy.loss.evaluate(other, rows: rows)
    let divergence = try diverge(logits, rows, weight: 1 - crossEntropy.weight)
    for row in 0..<rows.count { addScaled(other[row], factor: crossEntropy.weight, to: logits[row]) }
    return divergence + Double(crossEntropy.weight) * entropy
  }

  /// The divergence of these rows as its share of the mean, times `weight`; its gradient is written over the logits.
  private func diverge(_ logits: Matrix, _ rows: Range<Int>, weight: Float) throws -> Double {
    let losses = Matrix.zeros(rows: 1, columns: max(1, rows.count))
    // d/ds of τ² · D(s/τ) is τ · D′.
    let slope = weight * temperature / Float(count)
    switch teacher {
    case .logits(let source):
      let targets = try source(rows)
      precondition(targets.rows == rows.count)
      let shared = min(targets.columns, logits.columns)
      let (kind, temperature) = (kind, temperature)
      forEachRowRange(rows: rows.count, columns: logits.columns, cost: 3) { part in
        let scratch = Matrix(rows: 2, columns: shared)
        for row in part {
          let (student, target) = (logits[row], targets[row])
          losses.start[row] = DivergenceRow(
            student: student.baseAddress!, teacher: target.baseAddress!, count: shared, scratch: scratch
          ).evaluate(kind, temperature, slope)
          student[shared...].update(repeating: 0)
        }
      }
    case .top(let source):
      let targets = try source(rows)
      precondition(targets.count == rows.count && kind == .forwardKL && temperature == 1)
      forEachRowRange(rows: rows.count, columns: logits.columns, cost: 2) { part in
        for row in part { losses.start[row] = targets[row].divergence(replacing: logits[row], slope: slope) }
      }
    }
    let sum = losses.values.prefix(rows.count).reduce(0) { $0 + Double($1) }
    return Double(weight * temperature * temperature) * sum / Double(count)
  }
}

/// One row: student logits that become their gradient, teacher logits that are used up.
private struct DivergenceRow {
  let student: UnsafeMutablePointer<Float>
  let teacher: UnsafeMutablePointer<Float>
  let count: Int
  /// Two rows: the probabilities of the student and of the teacher.
  let scratch: Matrix

  func evaluate(_ kind: LogitDivergence.Kind, _ temperature: Float, _ slope: Float) -> Float {
    let (studentProbability, teacherProbability) = (scratch[0].baseAddress!, scratch[1].baseAddress!)
    normalise(student, probability: studentProbability, temperature)
    normalise(teacher, probability: teacherProbability, temperature)
    let factor = Lanes(repeating: slope)
    switch kind {
    case .forwardKL:
      map(teacher, student, into: teacher, count) { $0 - $1 }
      let loss = dot(teacherProbability, teacher, count)
      map(studentProbability, teacherProbability, into: student, count) { ($0 - $1) * factor }
      return loss
    case .reverseKL:
      map(student, teacher, into: student, count) { $0 - $1 }
      return finish(studentProbability, factor)
    case .jensenShannon(let beta):
      let (b, c) = (Lanes(repeating: beta), Lanes(repeating: 1 - beta))
      // The mixture, then its logarithm, then how far the teacher is from it.
      let mixture = teacher
      map(teacherProbability, into: teacherProbability, count) { $0 * b }
      let teacherLogarithms = Matrix(rows: 1, columns: count)
      teacherLogarithms.start.update(from: teacher, count: count)
      map(studentProbability, teacherProbability, into: mixture, count) { $0 * c + $1 }
      for index in 0..<count { mixture[index] = log(max(mixture[index], .leastNormalMagnitude)) }
      map(teacherLogarithms.start, mixture, into: teacherLogarithms.start, count) { $0 - $1 }
      let teacherLoss = dot(teacherProbability, teacherLogarithms.start, count)
      map(student, mixture, into: student, count) { $0 - $1 }
      let studentLoss = finish(studentProbability, factor * c)
      return teacherLoss + (1 - beta) * studentLoss
    }
  }

  /// Turns logits into log-probabilities, and writes the probabilities.
  private func normalise(
    _ logits: UnsafeMutablePointer<Float>, probability: UnsafeMutablePointer<Float>, _ temperature: Float
  ) {
    if temperature != 1 { shiftAndScale(logits, by: 0, factor: 1 / temperature, into: logits, count) }
    probability.update(from: logits, count: count)
    let (maximum, sum) = exponentiate(probability, count: count)
    shiftAndScale(probability, by: 0, factor: 1 / sum, into: probability, count)
    shiftAndScale(logits, by: -maximum - log(sum), factor: 1, into: logits, count)
  }

  /// With d in place of the student's logits: L = Σ pₛ · d, and the gradient pₛ · (d − L) in place of d.
  private func finish(_ probability: UnsafeMutablePointer<Float>, _ factor: Lanes) -> Float {
    let loss = dot(probability, student, count)
    let mean = Lanes(repeating: loss)
    map(probability, student, into: student, count) { $0 * ($1 - mean) * factor }
    return loss
  }
}
