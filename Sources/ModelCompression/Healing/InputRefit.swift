internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompute
internal import TensorFormats

/// Refits the projections that read a norm's output, so that they give from what they read now what the parent's gave from what
/// they read there.
///
/// With x the input in the pruned model and y in the parent, A minimises Σ |y − Ax|² + λ |A − A₀|², where A₀ puts every channel in its
/// place. The parent's projection V becomes V·A: one fit for all that read the same input.
struct InputRefit: Refit {
  let kind = HealingStep.Kind.input
  let keys: [WeightKey]
  let center: Matrix? = nil
  private let site: Site
  private let readers: [Reader]
  /// The hidden channel of the parent that each input is.
  private let channels: [Int]
  private let parentInputCount: Int
  private let hasIntercept: Bool

  /// A projection that reads the site.
  fileprivate struct Reader {
    let key: WeightKey
    /// Weight and bias as the cut left them.
    let weight: Matrix
    let bias: (key: WeightKey, values: Matrix)?
    /// The rows that are kept, with all of the parent's inputs.
    let wide: Matrix
    /// |what the parent's gives|² for every held-out token.
    var signals: [Float] = []
  }

  init(_ healer: BlockHealer, at site: Site) throws {
    let (run, layer) = (healer.run, healer.layer)
    self.site = site
    parentInputCount = run.parent.hyperparameters.hiddenSize
    channels = run.hidden ?? Array(0..<parentInputCount)
    var readers = try healer.fitted.steps.compactMap { step -> Reader? in
      guard case .linear(let linear) = step, linear.input == site else { return nil }
      return try Reader(linear, run, layer: layer)
    }
    try healer.heldOut.preview(0) { view in
      let input = try healer.targets.heldOut.normed(site, group: view.group)
      for index in readers.indices { readers[index].addSignals(of: input) }
    }
    self.readers = readers
    hasIntercept = readers.allSatisfy { $0.bias != nil }
    keys = readers.flatMap { [$0.key] + ($0.bias.map { [$0.key] } ?? []) }
  }

  func makeEquations() -> NormalEquations {
    NormalEquations(inputCount: channels.count, outputCount: parentInputCount, hasIntercept: hasIntercept)
  }

  func add(_ pass: BlockPass, _ targets: BlockTargets, to equations: NormalEquations) throws {
    try pass.preview(0) { equations.add($0[site], try residuals($0, targets)) }
  }

  /// |what the parent's projection gives − what this one gives|² ÷ |what the parent's gives|², mean over tokens and projections.
  func error(_ pass: BlockPass, _ targets: BlockTargets, of solution: Matrix?) throws -> Double {
    var (sum, rows) = (0.0, 0)
    try pass.preview(0) { view in
      let rest = try residuals(view, targets)
      if let solution { NormalEquations.subtract(solution, of: view[site], from: rest) }
      for reader in readers {
        for (noise, signal) in zip(squares(product(rest, transposed: reader.wide)), reader.signals[view.rows]) {
          sum += Double(noise) / Double(signal)
        }
      }
      rows += view.rows.count
    }
    return sum / Double(rows * readers.count)
  }

  /// y − A₀x
  private func residuals(_ view: BlockPass.View, _ targets: BlockTargets) throws -> Matrix {
    let x = view[site]
    let result = try targets.normed(site, group: view.group).copy()
    parallelChunks(of: x.rows, size: 64) { rows in
      for row in rows {
        let (rest, values) = (result[row], x[row])
        for (position, channel) in channels.enumerated() { rest[channel] -= values[position] }
      }
    }
    return result
  }

  /// W + V·Δ of the cut weight W and the parent's V, and the bias that goes with it.
  func weights(_ solution: Matrix) -> [WeightKey: Matrix] {
    var result: [WeightKey: Matrix] = [:]
    for reader in readers {
      let change = product(reader.wide, solution)
      let sum = reader.weight.copy()
      for row in 0..<sum.rows {
        let (target, addend) = (sum[row], change[row])
        for column in target.indices { target[column] += addend[column] }
      }
      result[reader.key] = sum
      guard let bias = reader.bias else { continue }
      result[bias.key] = bias.values.copy()
      guard hasIntercept else { continue }
      for row in 0..<sum.rows { result[bias.key]!.values[row] += change[row][sum.columns] }
    }
    return result
  }
}

extension InputRefit.Reader {
  fileprivate init(_ step: LinearStep, _ run: HealingRun, layer: Int) throws {
    let key = WeightKey(step.weight, layer: layer)
    let weight = try run.values(of: key, in: run.student)
    let bias = WeightKey(step.weight, .bias, layer: layer)
    self.init(
      key: key, weight: weight, bias: step.hasBias ? (bias, try run.values(of: bias, in: run.student)) : nil,
      wide: run.hidden == nil ? weight : try run.values(of: key, in: run.wide))
  }

  fileprivate mutating func addSignals(of input: Matrix) {
    let output = product(input, transposed: wide)
    if let bias { for row in 0..<output.rows { addScaled(bias.values[0], factor: 1, to: output[row]) } }
    signals += squares(output).map { $0 + 1e-12 }
  }
}

/// |x|² of each row.
private func squares(_ matrix: Matrix) -> [Float] {
  parallelMap(of: matrix.rows, chunk: 64) { row in sumOfSquares(matrix[row]) }
}
