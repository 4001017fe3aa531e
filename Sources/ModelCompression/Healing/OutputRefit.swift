internal import ModelArchitectures
internal import ModelCompute
internal import TensorFormats

/// Refits a projection into the residual stream.
///
/// With T the stream that the term should complete, O what stands in it already and h the projection's input, W′ minimises
/// Σ w |T − O − W′h|² + λ |W′ − W|², where w = 1 ÷ mean(T²): what counts is the relative error of a token, because a norm follows.
struct OutputRefit: Refit {
  let kind = HealingStep.Kind.output
  let keys: [WeightKey]
  private let term: ResidualTerm
  /// How much of the error in the stream is asked to be taken back.
  private let correction: Double
  /// W as it was cut, with the bias behind its columns if there is one.
  private let original: Matrix
  /// What the norm behind the projection multiplies by; nil if there is none.
  private let factors: [Float]?

  init(_ run: HealingRun, layer: Int, _ term: ResidualTerm) throws {
    self.term = term
    correction = run.settings.correction
    keys = [term.key(.weight, layer: layer)] + (term.linear.hasBias ? [term.key(.bias, layer: layer)] : [])
    let weight = try run.values(of: keys[0], in: run.student)
    let bias = term.linear.hasBias ? try run.values(of: keys[1], in: run.student) : nil
    original = bias.map { weight.appendingColumn($0) } ?? weight
    factors = try term.postNorm.map { norm in
      let weight = try run.values(of: WeightKey(norm.weight, layer: layer), in: run.student)
      return weight.array.map { $0 + Float(norm.offset) }
    }
  }

  var center: Matrix? { original }

  private var hasBias: Bool { keys.count > 1 }

  func makeEquations() -> NormalEquations {
    NormalEquations(
      inputCount: original.columns - (hasBias ? 1 : 0), outputCount: original.rows, hasIntercept: hasBias)
  }

  func add(_ pass: BlockPass, _ targets: BlockTargets, to equations: NormalEquations) throws {
    // Only a norm behind the projection asks what it gives now.
    try pass.preview(factors == nil ? 0 : 1) { view in
      let rows = TermRows(term, view, try wanted(view, targets), postNorm: factors)
      equations.add(view[term.linear.input], rows.targets, weights: rows.weights)
    }
  }

  func error(_ pass: BlockPass, _ targets: BlockTargets, of solution: Matrix?) throws -> Double {
    var (sum, rows) = (0.0, 0)
    try pass.preview(term.stepCount, replacing: solution.map(weights) ?? [:]) { view in
      sum += TermRows.relativeErrors(term, view, try wanted(view, targets)).reduce(0, +)
      rows += view.rows.count
    }
    return sum / Double(rows)
  }

  func weights(_ solution: Matrix) -> [WeightKey: Matrix] {
    guard hasBias else { return [keys[0]: solution] }
    let last = solution.columns - 1
    return [
      keys[0]: solution.gatheringColumns(Array(0..<last)),
      keys[1]: Matrix(rows: 1, columns: solution.rows, (0..<solution.rows).map { solution[$0][last] }),
    ]
  }

  /// The stream that the term should complete: the parent's, and of the error that is in the stream already the part that is not
  /// asked to be taken back.
  private func wanted(_ view: BlockPass.View, _ targets: BlockTargets) throws -> Matrix {
    let stream = try targets.stream(behind: term.index, group: view.group)
    let share = Float(1 - correction)
    guard share != 0 else { return stream }
    let parent = try targets.stream(before: term.index, group: view.group)
    let others = term.others.map { view[$0] }
    let result = stream.copy()
    parallelChunks(of: result.rows, size: 64) { rows in
      for row in rows {
        for other in others { addScaled(other[row], factor: share, to: result[row]) }
        addScaled(parent[row], factor: -share, to: result[row])
      }
    }
    return result
  }
}

extension Matrix {
  /// The matrix with one column more, whose values are those of the vector.
  fileprivate func appendingColumn(_ vector: Matrix) -> Matrix {
    let result = Matrix(rows: rows, columns: columns + 1)
    for row in 0..<rows {
      _ = result[row].update(fromContentsOf: self[row])
      result[row][columns] = vector.values[row]
    }
    return result
  }
}
