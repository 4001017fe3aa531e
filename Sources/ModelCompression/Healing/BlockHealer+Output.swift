internal import ModelArchitectures
internal import ModelCompute

extension BlockHealer {
  /// Refits a projection into the residual stream.
  ///
  /// With T the stream that the term should complete, O what stands in it already and h the projection's input, W′ minimises
  /// Σ w |T − O − W′h|² + λ |W′ − W|², where w = 1 ÷ mean(T²): what counts is the relative error of a token, because a norm follows.
  mutating func refitOutput(_ term: ResidualTerm) throws {
    let key = term.key(.weight, layer: layer)
    let bias = term.linear.hasBias ? term.key(.bias, layer: layer) : nil
    let weight = try run.values(of: key, in: run.student)
    let equations = NormalEquations(
      inputCount: weight.columns, outputCount: weight.rows, hasIntercept: bias != nil)
    let factors = try postNormFactors(term)
    try add(fitted, term, targets.fitted, factors, to: equations)
    let before = try error(term, [:])
    var best: (ridge: Double, error: Double)?
    for ridge in before > Self.rounding ? run.settings.ridges : [] {
      guard let delta = equations.solve(ridge: ridge) else { continue }
      let error = try error(term, replacement(term, delta, weight))
      if error < best?.error ?? before { best = (ridge, error) }
    }
    var step = HealingStep(
      kind: .output, layer: layer, parentLayer: parentLayer, weights: names([key] + (bias.map { [$0] } ?? [])),
      ridge: best?.ridge, errorBefore: before, errorAfter: best?.error ?? before, isKept: false)
    defer { record(step) }
    guard let best else {
      step.reason = before > Self.rounding ? "no strength lowers the held-out error" : "nothing to heal"
      return
    }
    try add(heldOut, term, targets.heldOut, factors, to: equations)
    guard let delta = equations.solve(ridge: best.ridge) else { return }
    for (key, values) in try replacement(term, delta, weight) { try replace(key, with: values) }
    step.isKept = true
  }

  private func add(
    _ pass: BlockPass, _ term: ResidualTerm, _ targets: BlockTargets, _ factors: [Float]?, to equations: NormalEquations
  ) throws {
    try pass.preview(term.stepCount) { view in
      let rows = TermRows(term, view, wanted(by: term, view, targets), postNorm: factors)
      equations.add(view[term.linear.input], rows.residuals, weights: rows.weights)
    }
  }

  /// What the norm behind the projection multiplies by; nil if there is none.
  private func postNormFactors(_ term: ResidualTerm) throws -> [Float]? {
    guard let norm = term.postNorm else { return nil }
    let weight = try run.values(of: WeightKey(norm.weight, layer: layer), in: run.student)
    return weight.array.map { $0 + Float(norm.offset) }
  }

  /// Σ |T − O − contribution|² ÷ |T|², mean over held-out tokens.
  private func error(_ term: ResidualTerm, _ replacements: [WeightKey: Matrix]) throws -> Double {
    var (sum, rows) = (0.0, 0)
    try heldOut.preview(term.stepCount, replacing: replacements) { view in
      sum += TermRows.relativeErrors(term, view, wanted(by: term, view, targets.heldOut)).reduce(0, +)
      rows += view.rows.count
    }
    return sum / Double(rows)
  }

  /// The stream that a term should complete: the parent's, and of the error that is in the stream already the part that is not asked
  /// to be taken back.
  private func wanted(by term: ResidualTerm, _ view: BlockPass.View, _ targets: BlockTargets) -> Matrix {
    let stream = targets.streams[term.index]!.view(rows: view.rows)
    let share = Float(1 - run.settings.correction)
    guard share != 0 else { return stream }
    let parent = targets.others[term.index]!.view(rows: view.rows)
    let result = stream.copy()
    for row in 0..<result.rows {
      let (values, reference) = (result[row], parent[row])
      for site in term.others { addScaled(view[site][row], share, to: values) }
      addScaled(reference, -share, to: values)
    }
    return result
  }

  private func replacement(
    _ term: ResidualTerm, _ delta: Matrix, _ weight: Matrix
  ) throws -> [WeightKey: Matrix] {
    let sum = weight.copy()
    for row in 0..<sum.rows {
      let (target, change) = (sum[row], delta[row])
      for column in target.indices { target[column] += change[column] }
    }
    guard term.linear.hasBias else { return [term.key(.weight, layer: layer): sum] }
    let bias = try run.values(of: term.key(.bias, layer: layer), in: run.student)
    for row in 0..<sum.rows { bias.values[row] += delta[row][sum.columns] }
    return [term.key(.weight, layer: layer): sum, term.key(.bias, layer: layer): bias]
  }
}

private func addScaled(
  _ addend: UnsafeMutableBufferPointer<Float>, _ factor: Float, to values: UnsafeMutableBufferPointer<Float>
) {
  for index in values.indices { values[index] += factor * addend[index] }
}
