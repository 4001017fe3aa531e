public import ModelArchitectures

extension Network {
  /// The loss of a batch, and its gradients with respect to the weights added to `gradients`.
  ///
  /// Blocks are run twice: forward, keeping only what each of them read, and once more, with a trace, inside the backward pass
  /// (Chen et al., arXiv 1604.06174). Logits exist for `tokensPerPanel` tokens at a time.
  ///
  /// - Parameters:
  ///   - gradients: added to; also says which weights are trained.
  ///   - siteGradient: a further gradient with respect to any site inside a block, `rows × width`, from a loss on hidden states
  ///     that has seen it; asked for every site of every block, the last first.
  ///   - progress: called with the number of block passes done and of all.
  public func accumulateGradients(
    of loss: any LogitLoss, over batch: TokenBatch, into gradients: Gradients, tokensPerPanel: Int = 256,
    adding siteGradient: ((_ layer: Int, _ site: Site, _ rows: Range<Int>) throws -> Matrix?)? = nil,
    progress: ((_ done: Int, _ total: Int) -> Void)? = nil
  ) throws -> Double {
    let count = program.blocks.count
    var inputs: [Matrix] = []
    var hidden = try embed(batch)
    for layer in 0..<count {
      inputs.append(hidden)
      hidden = try run(batch, from: hidden, layers: layer..<layer + 1)
      progress?(layer + 1, 2 * count)
    }
    let head = try differentiateHead(loss, hidden, tokensPerPanel, gradients)
    var gradient = head.gradient
    for layer in (0..<count).reversed() {
      gradient = try backward(layer, gradient, from: inputs.removeLast(), batch, gradients) { site, rows in
        try siteGradient?(layer, site, rows)
      }
      progress?(2 * count - layer, 2 * count)
    }
    _ = try prologue().backward(gradient, to: nil, batch: batch, trace: Trace(), into: gradients)
    return head.loss
  }

  /// The loss of a batch and its gradients with respect to all weights.
  public func gradients(
    of loss: any LogitLoss, over batch: TokenBatch
  ) throws -> (loss: Double, gradients: Gradients) {
    let gradients = Gradients()
    return (try accumulateGradients(of: loss, over: batch, into: gradients), gradients)
  }

  private func differentiateHead(
    _ loss: any LogitLoss, _ hidden: Matrix, _ tokensPerPanel: Int, _ gradients: Gradients
  ) throws -> (loss: Double, gradient: Matrix) {
    let epilogue = try epilogue()
    let trace = Trace()
    let final = try epilogue.forward((.blockInput, hidden), batch: .none, trace: trace)
    let (total, finalGradient) = try head().differentiate(
      loss, final, tokensPerPanel: tokensPerPanel, into: gradients)
    let gradient = try epilogue.backward(
      finalGradient, to: .blockInput, batch: .none, trace: trace, into: gradients)
    guard let gradient else { preconditionFailure("the final hidden state depends on the last block") }
    return (total, gradient)
  }

  private func backward(
    _ layer: Int, _ gradient: Matrix, from input: Matrix, _ batch: TokenBatch, _ gradients: Gradients,
    adding siteGradient: (Site, Range<Int>) throws -> Matrix?
  ) throws -> Matrix {
    let block = try block(layer)
    let result = Matrix(rows: input.rows, columns: input.columns)
    try batch.forEachGroup { part, rows in
      let trace = Trace()
      _ = try block.forward(input.view(rows: rows), batch: part, trace: trace)
      let inputGradient = try block.backward(
        gradient.view(rows: rows), batch: part, trace: trace, into: gradients
      ) { try siteGradient($0, rows) }
      result.view(rows: rows).start.update(from: inputGradient.start, count: inputGradient.count)
    }
    return result
  }
}
