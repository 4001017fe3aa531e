internal import ModelArchitectures
internal import ModelCompute

/// Weights of a block that are refitted together by least squares, and the equations for it.
protocol Refit {
  var kind: HealingStep.Kind { get }
  /// Weights and biases, in the order of the program.
  var keys: [WeightKey] { get }
  /// What the ridge pulls the solution toward; nil for zero.
  var center: Matrix? { get }

  /// Equations that are still empty.
  func makeEquations() -> NormalEquations
  /// Adds what one half of the text asks for.
  func add(_ pass: BlockPass, _ targets: BlockTargets, to equations: NormalEquations) throws
  /// The squared error of what the weights contribute to, relative to the parent's, mean over tokens.
  /// - Parameter solution: nil for the weights as they were cut.
  func error(_ pass: BlockPass, _ targets: BlockTargets, of solution: Matrix?) throws -> Double
  /// What takes the place of `keys`.
  func weights(_ solution: Matrix) -> [WeightKey: Matrix]
}

extension BlockHealer {
  /// Relative squared errors below this are what F32 leaves of equal numbers.
  private static let rounding = 1e-11

  /// Fits the weights, with the strength of the ridge that the held-out tokens choose, and records the step.
  mutating func apply(_ refit: some Refit) throws {
    let (judge, wanted) = (heldOut, targets.heldOut)
    let before = try refit.error(judge, wanted, of: nil)
    var step = HealingStep(
      kind: refit.kind, layer: layer, parentLayer: parentLayer, weights: names(refit.keys), ridge: nil,
      errorBefore: before, errorAfter: before, isKept: false)
    defer { record(step) }
    guard before > Self.rounding else {
      step.reason = before.isFinite ? "nothing to heal" : "the model gives numbers that are not finite"
      return
    }
    let equations = refit.makeEquations()
    try refit.add(fitted, targets.fitted, to: equations)
    let best = try ridges.best(for: refit.keys[0].role, before: before) { strength in
      guard let solution = equations.solve(ridge: strength, toward: refit.center) else { return nil }
      return try refit.error(judge, wanted, of: solution)
    }
    guard let best else {
      step.reason = "no strength lowers the held-out error"
      return
    }
    try refit.add(judge, wanted, to: equations)
    guard let solution = equations.solve(ridge: best.strength, toward: refit.center) else {
      step.reason = "the held-out tokens leave no solution"
      return
    }
    for (key, values) in refit.weights(solution) { try replace(key, with: values) }
    (step.ridge, step.errorAfter, step.isKept) = (best.strength, best.error, true)
  }
}
