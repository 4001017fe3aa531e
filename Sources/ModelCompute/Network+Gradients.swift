public import ModelArchitectures

extension Network {
  /// The loss of a batch, and its gradients with respect to the weights added to `gradients`.
  ///
  /// Blocks are run twice: forward, keeping only what each of them read, and once more, with a trace, inside the backward pass
  /// (Chen et al., arXiv 1604.06174); or once, if there is memory for all traces. Logits exist for `tokensPerPanel` tokens at a time,
  /// about a hundred megabytes if nil.
  ///
  /// - Parameters:
  ///   - gradients: added to; also says which weights are trained.
  ///   - keepsTraces: whether blocks run once: a third faster, with the activations of all blocks in memory.
  ///   - blockLoss: a further loss on the outputs of blocks, `tokens × hidden`, one for each block. Given the loss of the
  ///     logits, gives its gradient with respect to some of them.
  ///   - siteGradient: a further gradient with respect to any site inside a block, `rows × width`, from a loss on hidden states
  ///     that has seen it; asked for every site of every block, the last first.
  ///   - progress: called with the number of block passes done and of all.
  /// - Returns: the loss of the logits.
  public func accumulateGradients(
    of loss: any LogitLoss, over batch: TokenBatch, into gradients: Gradients, tokensPerPanel: Int? = nil,
    keepingTraces keepsTraces: Bool = false,
    blockLoss: ((_ logitLoss: Double, _ blockOutputs: [Matrix]) throws -> [Int: Matrix])? = nil,
    adding siteGradient: ((_ layer: Int, _ site: Site, _ rows: Range<Int>) throws -> Matrix?)? = nil,
    progress: ((_ done: Int, _ total: Int) -> Void)? = nil
  ) throws -> Double {
    let count = program.blocks.count
    // What each block read, and at last what the last one wrote.
    var streams = [try embed(batch)]
    var passes: [TracedBlock?] = []
    for layer in 0..<count {
      let pass = keepsTraces ? try trace(layer, streams[layer], batch) : nil
      passes.append(pass)
      streams.append(try pass?.output ?? run(batch, from: streams[layer], layers: layer..<layer + 1))
      progress?(layer + 1, 2 * count)
    }
    let head = try differentiateHead(loss, streams[count], tokensPerPanel ?? largePanel, gradients)
    let further = try blockLoss?(head.loss, Array(streams.dropFirst())) ?? [:]
    var gradient = head.gradient
    for layer in (0..<count).reversed() {
      streams.removeLast()
      if let more = further[layer] { addRows(gradient, more, into: gradient) }
      gradient = try backward(layer, gradient, from: streams[layer], passes.removeLast(), batch, gradients) {
        try siteGradient?(layer, $0, $1)
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

  /// Large enough that reading the head's weight for each panel, and adding to its gradient, cost little.
  private var largePanel: Int { max(64, min(512, (100 << 20) / 4 / hyperparameters.vocabularySize)) & ~63 }

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

  /// Runs a block and keeps what its backward pass needs.
  private func trace(_ layer: Int, _ input: Matrix, _ batch: TokenBatch) throws -> TracedBlock {
    let block = try block(layer)
    let output = Matrix(rows: input.rows, columns: input.columns)
    var traces: [Trace] = []
    try batch.forEachGroup { part, rows in
      let trace = Trace()
      let result = try block.forward(input.view(rows: rows), batch: part, trace: trace)
      output.view(rows: rows).start.update(from: result.start, count: result.count)
      traces.append(trace)
    }
    return TracedBlock(block: block, output: output, traces: traces)
  }

  /// Runs a block in reverse; forward before that, group by group, if nobody kept the traces.
  private func backward(
    _ layer: Int, _ gradient: Matrix, from input: Matrix, _ pass: TracedBlock?, _ batch: TokenBatch,
    _ gradients: Gradients, adding siteGradient: (Site, Range<Int>) throws -> Matrix?
  ) throws -> Matrix {
    let block = try pass?.block ?? block(layer)
    let result = Matrix(rows: gradient.rows, columns: gradient.columns)
    var group = 0
    try batch.forEachGroup { part, rows in
      let trace = pass?.traces[group] ?? Trace()
      if pass == nil { _ = try block.forward(input.view(rows: rows), batch: part, trace: trace) }
      let inputGradient = try block.backward(
        gradient.view(rows: rows), batch: part, trace: trace, into: gradients
      ) { try siteGradient($0, rows) }
      result.view(rows: rows).start.update(from: inputGradient.start, count: inputGradient.count)
      group += 1
    }
    return result
  }
}

/// One block run over a batch, with a trace for each group of sequences.
private struct TracedBlock {
  let block: Block
  let output: Matrix
  let traces: [Trace]
}
