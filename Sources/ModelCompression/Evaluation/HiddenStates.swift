internal import ModelCheckpoints
internal import ModelCompute

/// A model run over sequences up to its last norm. Sequences go through in groups, so that memory holds the residual stream of a
/// group and the weights of one block.
struct HiddenStates {
  /// Tokens of a group.
  static let groupTokenLimit = 8192

  let network: Network

  /// The final hidden states of one group, tokens × hidden.
  func callAsFunction(of group: [[Int]], progress: @escaping (Double) -> Void = { _ in }) throws -> Matrix {
    let stream = try network.run(
      TokenBatch(group), progress: { done, total in progress(Double(done) / Double(total + 1)) })
    return try network.finalHidden(stream)
  }
}

extension CalibrationSet {
  /// Sequences that run together.
  var groups: [[[Int]]] { groups(ofTokens: HiddenStates.groupTokenLimit) }

  /// Sequences in groups of at most so many tokens; a longer sequence is a group of its own.
  func groups(ofTokens limit: Int) -> [[[Int]]] {
    var groups: [[[Int]]] = []
    var tokens = 0
    for sequence in sequences {
      if groups.isEmpty || tokens + sequence.count > limit {
        groups.append([])
        tokens = 0
      }
      groups[groups.count - 1].append(sequence)
      tokens += sequence.count
    }
    return groups
  }
}

extension Head {
  /// Calls `body` with the logits of consecutive positions of each sequence of a group, in order.
  func forEachPanel(
    _ hidden: Matrix, of group: [[Int]],
    _ body: (_ sequence: [Int], _ positions: Range<Int>, _ logits: Matrix) throws -> Void
  ) throws {
    var start = 0
    for sequence in group {
      try forEachPanel(hidden.view(rows: start..<start + sequence.count)) { try body(sequence, $0, $1) }
      start += sequence.count
    }
  }
}
