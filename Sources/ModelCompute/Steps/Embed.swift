internal import ModelArchitectures
internal import TensorFormats

// table: (vocabulary, hidden)  output: (tokens, hidden)
extension EmbedStep: ExecutableStep {
  var savedSites: [Site] { [] }

  /// Decodes the rows of the tokens that occur, and only those.
  func forward(_ frame: Frame) throws -> Matrix {
    let tokens = frame.batch.tokens
    let model = frame.network.hyperparameters
    for token in tokens where token < 0 || token >= model.vocabularySize {
      throw ComputeError(.token, "token \(token): expected 0 to \(model.vocabularySize - 1)")
    }
    let output = frame.makeMatrix(rows: tokens.count, columns: model.hiddenSize)
    let key = frame.weights.key(weight)
    let source = frame.weights.source
    try parallelChunks(of: tokens.count, size: 256) { rows in
      for row in rows { try source.decode(key, rows: tokens[row]..<tokens[row] + 1, into: output[row]) }
    }
    if scale != 1 { scaleRows(output, by: Float(scale), into: output) }
    return output
  }

  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) {
    let model = frame.network.hyperparameters
    guard
      let sum = weights.sum(of: frame.weights.key(weight), rows: model.vocabularySize, columns: model.hiddenSize)
    else { return }
    for (row, token) in frame.batch.tokens.enumerated() {
      addScaled(gradient[row], factor: Float(scale), to: sum[token])
    }
  }
}
