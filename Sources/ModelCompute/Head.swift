internal import ModelArchitectures

/// What turns `.finalHidden` into logits. A large weight is decoded panel by panel.
public struct Head: Sendable {
  let section: Section

  /// Logits of a few tokens at a time, so that `tokens × vocabulary` never exists.
  ///
  /// - Parameters:
  ///   - hidden: `.finalHidden`, `tokens × hidden`.
  ///   - tokensPerPanel: how many at a time.
  ///   - body: given rows of `hidden` and their logits, `rows × vocabulary`, which it may overwrite.
  public func forEachPanel(
    _ hidden: Matrix, tokensPerPanel: Int = 256, _ body: (_ rows: Range<Int>, _ logits: Matrix) throws -> Void
  ) throws {
    for rows in Self.panels(hidden.rows, tokensPerPanel) {
      try body(rows, logits(hidden.view(rows: rows)))
    }
  }

  /// All logits, `tokens × vocabulary`.
  public func logits(_ hidden: Matrix) throws -> Matrix { try forward(hidden, trace: nil) }

  /// Adds the gradients of the head's weights, and returns the loss and its gradient with respect to `hidden`.
  func differentiate(
    _ loss: any LogitLoss, _ hidden: Matrix, tokensPerPanel: Int, into gradients: Gradients
  ) throws -> (loss: Double, hiddenGradient: Matrix) {
    let result = Matrix(rows: hidden.rows, columns: hidden.columns)
    var total = 0.0
    for rows in Self.panels(hidden.rows, tokensPerPanel) {
      let trace = Trace()
      let logits = try forward(hidden.view(rows: rows), trace: trace).copy(ifSavedIn: trace, section)
      total += try loss.evaluate(logits, rows: rows)
      let gradient = try section.backward(
        logits, to: .finalHidden, batch: TokenBatch([]), trace: trace, into: gradients)
      guard let gradient else { preconditionFailure("logits depend on the hidden state") }
      result.view(rows: rows).start.update(from: gradient.start, count: gradient.count)
    }
    return (total, result)
  }

  private func forward(_ hidden: Matrix, trace: Trace?) throws -> Matrix {
    try section.forward((.finalHidden, hidden), batch: TokenBatch([]), trace: trace)
  }

  private static func panels(_ count: Int, _ size: Int) -> [Range<Int>] {
    precondition(size > 0)
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

extension Matrix {
  /// A copy if the backward pass reads this output of the section, so that the loss may write its gradient over it.
  fileprivate func copy(ifSavedIn trace: Trace, _ section: Section) -> Matrix {
    section.savesOutput ? copy(workspace: section.network.workspace) : self
  }
}
