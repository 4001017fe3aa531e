internal import ModelArchitectures
internal import ModelCompute
internal import TensorFormats

/// One number for a norm that sees fewer channels than in the parent.
///
/// A norm divides by the root mean square of the channels it sees. The kept ones are the larger ones, so their mean is higher than
/// that of all, and what comes out is too small or too large by √(E rms²(kept) ÷ E rms²(all)). The number is the least-squares factor between
/// what the norm gives and what the parent's gave on the same channels, which is that ratio while the streams agree.
struct NormScale {
  private var products = 0.0
  private var squares = 0.0
  /// The norm's bias: it is not scaled.
  let bias: Matrix?

  init(bias: Matrix?) { self.bias = bias }

  var factor: Double? { squares > 0 && products > 0 ? products / squares : nil }

  /// Adds rows: what the norm gives, and what it should.
  mutating func add(_ found: Matrix, _ wanted: Matrix) {
    let sums = parallelMap(of: found.rows, chunk: 64) { [self] row in
      var (product, square): (Float, Float) = (0, 0)
      forEachPair(found[row], wanted[row]) { x, y in
        product += x * y
        square += x * x
      }
      return (Double(product), Double(square))
    }
    for (product, square) in sums {
      products += product
      squares += square
    }
  }

  /// |wanted − factor · found|² ÷ |wanted|² of each row.
  func relativeErrors(_ found: Matrix, _ wanted: Matrix, factor: Double) -> [Double] {
    let factor = Float(factor)
    return parallelMap(of: found.rows, chunk: 64) { row in
      var (noise, signal): (Float, Float) = (0, 1e-12)
      forEachPair(found[row], wanted[row]) { x, y in
        noise += (y - factor * x) * (y - factor * x)
        signal += y * y
      }
      return Double(noise) / Double(signal)
    }
  }

  private func forEachPair(
    _ found: UnsafeMutableBufferPointer<Float>, _ wanted: UnsafeMutableBufferPointer<Float>,
    _ body: (Float, Float) -> Void
  ) {
    for column in found.indices {
      let offset = bias?.values[column] ?? 0
      body(found[column] - offset, wanted[column] - offset)
    }
  }

  /// The stored weight of a norm that multiplies by `factor` times as much.
  static func scaled(_ weight: Matrix, by factor: Double, offset: Double) -> Matrix {
    let result = weight.copy()
    for index in result.values.indices {
      result.values[index] = Float(factor * (offset + Double(weight.values[index])) - offset)
    }
    return result
  }
}

extension BlockHealer {
  /// Rescales a norm over hidden channels when some of them are gone.
  mutating func rescale(_ norm: NormStep) throws {
    let key = WeightKey(norm.weight, layer: layer)
    var scale = NormScale(
      bias: norm.hasBias ? try run.values(of: WeightKey(norm.weight, .bias, layer: layer), in: run.student) : nil)
    func wanted(_ targets: BlockTargets, _ view: BlockPass.View) throws -> Matrix {
      try targets.normed(norm.output, group: view.group).gatheringColumns(run.hidden)
    }
    try fitted.preview(1) { scale.add($0[norm.output], try wanted(targets.fitted, $0)) }
    func error(_ factor: Double) throws -> Double {
      var errors: [Double] = []
      try heldOut.preview(1) {
        errors += scale.relativeErrors($0[norm.output], try wanted(targets.heldOut, $0), factor: factor)
      }
      return errors.reduce(0, +) / Double(errors.count)
    }
    let before = try error(1)
    var step = HealingStep(
      kind: .normScale, layer: layer, parentLayer: parentLayer, weights: names([key]), ridge: nil, errorBefore: before,
      errorAfter: before, isKept: false, reason: "it does not lower the held-out error")
    defer { record(step) }
    guard let factor = scale.factor else { return }
    let after = try error(factor)
    guard after < before else { return }
    try replace(
      key, with: NormScale.scaled(run.values(of: key, in: run.student), by: factor, offset: norm.offset))
    (step.errorAfter, step.isKept, step.reason) = (after, true, nil)
  }
}
