internal import ModelArchitectures

// input: (tokens, in)  W: (out, in)  bias: (out)  output: (tokens, out)
extension LinearStep: ExecutableStep {
  var savedSites: [Site] { [input] }

  func forward(_ frame: Frame) throws -> Matrix {
    let linear = frame.weights.linear(weight)
    let input = frame.matrix(at: input, frame.weights.inputRounding(weight))
    let output = frame.makeMatrix(rows: input.rows, columns: linear.outputCount)
    try linear.apply(to: input, into: output)
    if hasBias { addRow(frame.weights.vector(weight, .bias), to: output) }
    return output
  }

  /// dInput = dOutput · W, dW = dOutputᵀ · input, dBias = the sum of dOutput over tokens.
  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) throws {
    let linear = frame.weights.linear(weight)
    let input = frame.matrix(at: input, frame.weights.inputRounding(weight))
    let (outputCount, inputCount) = (linear.outputCount, linear.inputCount)
    try linear.addWeightGradient(of: frame.weights.key(weight), input: input, outputGradient: gradient, to: weights)
    if hasBias, let sum = weights.sum(of: frame.weights.key(weight, .bias), rows: 1, columns: outputCount) {
      addColumnSums(of: gradient, to: sum)
    }
    try sites.accumulate(into: self.input, rows: input.rows, columns: inputCount) { sum, isAdded in
      try linear.applyTransposed(to: gradient, into: sum, isAdded: isAdded)
    }
  }
}
