extension Network {
  /// Lets one block learn by itself: the mean square error of what it makes of `input`, as a share of the target's mean square.
  ///
  /// - Parameters:
  ///   - input: `.blockInput`, `tokens × hidden`
  ///   - target: what `.blockOutput` should be, `tokens × hidden`
  ///   - weight: multiplies loss and gradients.
  /// - Returns: the weighted loss.
  public func learn(
    block layer: Int, from input: Matrix, to target: Matrix, over batch: TokenBatch, weight: Double,
    into gradients: Gradients
  ) throws -> Double {
    let block = try block(layer)
    var loss = 0.0
    let power = target.sumOfSquares / Double(max(1, target.count))
    let factor = weight / max(power, 1e-20)
    try batch.forEachGroup { part, rows in
      let trace = Trace()
      let output = try block.forward(input.view(rows: rows), batch: part, trace: trace).copy()
      let share = Double(rows.count) / Double(batch.rows)
      loss += share * factor * HiddenStateLoss.Kind.meanSquare.replace(output, against: target.view(rows: rows))
      scaleRows(output, by: Float(share * factor), into: output)
      _ = try block.backward(output, batch: part, trace: trace, into: gradients)
    }
    return loss
  }
}
