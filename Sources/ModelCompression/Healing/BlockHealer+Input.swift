internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompute

extension BlockHealer {
  /// Refits the projections that read a norm's output, so that they give from what they read now what the parent's gave from what
  /// they read there.
  ///
  /// With x the input in the pruned model and y in the parent, A minimises Σ |y − Ax|² + λ |A − A₀|², where A₀ puts every channel in its
  /// place. The parent's projection W becomes W·A: one fit for all that read the same input.
  mutating func refitInputs(at site: Site) throws {
    let fit = try InputFit(run, layer: layer, readers: readers(of: site))
    let wanted = (targets.fitted.normed[site]!, targets.heldOut.normed[site]!)
    let equations = NormalEquations(
      inputCount: fit.inputCount, outputCount: fit.parentInputCount, hasIntercept: fit.hasIntercept)
    try add(fitted, site, wanted.0, fit, to: equations)
    let before = try error(fit, site, wanted.1, fit.original)
    var best: (ridge: Double, error: Double)?
    for ridge in before > Self.rounding ? run.settings.ridges : [] {
      guard let map = equations.solve(ridge: ridge) else { continue }
      let error = try error(fit, site, wanted.1, fit.mapped(by: map))
      if error < best?.error ?? before { best = (ridge, error) }
    }
    var step = HealingStep(
      kind: .input, layer: layer, parentLayer: parentLayer, weights: names(fit.keys),
      ridge: best?.ridge, errorBefore: before, errorAfter: best?.error ?? before, isKept: false)
    defer { record(step) }
    guard let best else {
      step.reason = before > Self.rounding ? "no strength lowers the held-out error" : "nothing to heal"
      return
    }
    try add(heldOut, site, wanted.1, fit, to: equations)
    guard let map = equations.solve(ridge: best.ridge) else { return }
    for (key, values) in fit.mapped(by: map) { try replace(key, with: values) }
    step.isKept = true
  }

  private func readers(of site: Site) -> [LinearStep] {
    fitted.steps.compactMap { step in
      guard case .linear(let linear) = step, linear.input == site else { return nil }
      return linear
    }
  }

  private func add(
    _ pass: BlockPass, _ site: Site, _ wanted: Matrix, _ fit: InputFit, to equations: NormalEquations
  ) throws {
    try pass.preview(0) { view in
      let x = view[site]
      let residuals = wanted.view(rows: view.rows).copy()
      for row in 0..<x.rows {
        let (rest, values) = (residuals[row], x[row])
        for (position, channel) in fit.channels.enumerated() { rest[channel] -= values[position] }
      }
      equations.add(x, residuals)
    }
  }

  /// |what the parent's projection gives − what this one gives|² ÷ |what the parent's gives|², mean over held-out tokens and
  /// projections.
  private func error(
    _ fit: InputFit, _ site: Site, _ wanted: Matrix, _ weights: [WeightKey: Matrix]
  ) throws -> Double {
    var sum = 0.0
    try heldOut.preview(0) { view in
      for reader in fit.readers {
        let expected = fit.parentOutput(of: reader, wanted.view(rows: view.rows))
        let found = fit.output(of: reader, view[site], weights)
        sum += parallelMap(of: expected.rows, chunk: 64) { row in
          relativeError(of: found[row], expected: expected[row])
        }.reduce(0, +)
      }
    }
    return sum / Double(wanted.rows * fit.readers.count)
  }
}

private func relativeError(
  of found: UnsafeMutableBufferPointer<Float>, expected: UnsafeMutableBufferPointer<Float>
) -> Double {
  var (noise, signal): (Float, Float) = (0, 1e-12)
  for index in expected.indices {
    let distance = expected[index] - found[index]
    noise += distance * distance
    signal += expected[index] * expected[index]
  }
  return Double(noise) / Double(signal)
}

/// The projections that read one input, in the parent and as they were cut.
private struct InputFit {
  let readers: [LinearStep]
  /// The hidden channel of the parent that each input is.
  let channels: [Int]
  let parentInputCount: Int
  let hasIntercept: Bool
  /// Weights and biases as the cut left them.
  let original: [WeightKey: Matrix]
  /// By role: the rows that are kept, with all of the parent's inputs.
  private let wide: [WeightRole: Matrix]
  private let layer: Int

  init(_ run: HealingRun, layer: Int, readers: [LinearStep]) throws {
    self.readers = readers
    self.layer = layer
    parentInputCount = run.parent.hyperparameters.hiddenSize
    channels = run.hidden ?? Array(0..<parentInputCount)
    hasIntercept = readers.allSatisfy(\.hasBias)
    var (original, wide): ([WeightKey: Matrix], [WeightRole: Matrix]) = ([:], [:])
    for reader in readers {
      let key = WeightKey(reader.weight, layer: layer)
      original[key] = try run.values(of: key, in: run.student)
      wide[reader.weight] = run.hidden == nil ? original[key]! : try run.values(of: key, in: run.wide)
      if reader.hasBias {
        let bias = WeightKey(reader.weight, .bias, layer: layer)
        original[bias] = try run.values(of: bias, in: run.student)
      }
    }
    self.original = original
    self.wide = wide
  }

  var inputCount: Int { channels.count }

  /// Weights and biases in the order of the program.
  var keys: [WeightKey] {
    readers.flatMap { reader in
      [WeightKey(reader.weight, layer: layer)]
        + (reader.hasBias ? [WeightKey(reader.weight, .bias, layer: layer)] : [])
    }
  }

  /// W + V·Δ of the cut weight W and the parent's V, and the bias that goes with it.
  func mapped(by map: Matrix) -> [WeightKey: Matrix] {
    var result = original
    for reader in readers {
      let key = WeightKey(reader.weight, layer: layer)
      let change = product(wide[reader.weight]!, map)
      let sum = original[key]!.copy()
      for row in 0..<sum.rows {
        let (target, addend) = (sum[row], change[row])
        for column in target.indices { target[column] += addend[column] }
      }
      result[key] = sum
      guard hasIntercept else { continue }
      let bias = WeightKey(reader.weight, .bias, layer: layer)
      result[bias] = original[bias]!.copy()
      for row in 0..<sum.rows { result[bias]!.values[row] += change[row][sum.columns] }
    }
    return result
  }

  func parentOutput(of reader: LinearStep, _ input: Matrix) -> Matrix {
    output(input, wide[reader.weight]!, original[WeightKey(reader.weight, .bias, layer: layer)])
  }

  func output(of reader: LinearStep, _ input: Matrix, _ weights: [WeightKey: Matrix]) -> Matrix {
    output(
      input, weights[WeightKey(reader.weight, layer: layer)]!, weights[WeightKey(reader.weight, .bias, layer: layer)])
  }

  private func output(_ input: Matrix, _ weight: Matrix, _ bias: Matrix?) -> Matrix {
    let result = product(input, transposed: weight)
    guard let bias else { return result }
    for row in 0..<result.rows {
      let values = result[row]
      for column in values.indices { values[column] += bias.values[column] }
    }
    return result
  }
}
