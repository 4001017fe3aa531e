internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompute

/// Three models run on the same tokens: the parent, what the plan makes of it in memory, and the written file.
struct ForwardComparison {
  /// Logits of the written file against the plan: Σ(a − b)² ÷ Σa².
  let correctness: Double
  /// The written file against the parent.
  let quality: LogitComparison
  let parentPerplexity: Perplexity
  let perplexity: Perplexity
  /// The written file's residual stream against the parent's.
  let layers: [StreamSimilarity]

  init(
    parent: Checkpoint, expected: Checkpoint, written: Checkpoint, plan: PruningPlan?, set: CalibrationSet,
    emulation: Emulation, progress: @escaping WorkProgress.Handler
  ) throws {
    // Without a record nobody knows what should be rounded; the same in both, they are told apart by their weights alone.
    let roundings = try (written.recipe == nil ? written : expected).roundings(emulation)
    var (correctness, quality) = (ErrorSums(), LogitComparisonSums())
    var (parentLosses, losses) = (TokenLosses(), TokenLosses())
    let models = [
      try parent.network(emulation.ofParent), expected.network(roundings: roundings), try written.network(emulation),
    ]
    var streams = StreamComparison(of: models[2], with: models[0], plan: plan)
    let total = set.tokenCount * models.count
    var completed = 0
    func report(_ share: Double, of tokens: Int) {
      let done = completed + Int(share * Double(tokens))
      progress(WorkProgress(phase: "verifying", completed: done, total: total, unit: .tokens))
    }
    for group in set.groups {
      let tokens = group.reduce(0) { $0 + $1.count }
      let pair = try streams.hidden(of: group) { report($0, of: 2 * tokens) }
      completed += 2 * tokens
      let reference = try HiddenStates(network: models[1])(of: group) { report($0, of: tokens) }
      completed += tokens
      let hidden = [pair.parent, reference, pair.result]
      try Self.forEachLogits(models, hidden, group) { sequence, positions, logits in
        correctness.add(logits[1], logits[2])
        // From here on, logits of the parent and of the file are log-probabilities.
        quality.add(logits[0], logits[2])
        parentLosses.add(logits[0], positions: positions, of: sequence)
        losses.add(logits[2], positions: positions, of: sequence)
      }
    }
    progress(WorkProgress(phase: "verifying", completed: total, total: total, unit: .tokens))
    self.correctness = correctness.normalizedError
    self.quality = quality.result
    parentPerplexity = parentLosses.perplexity
    perplexity = losses.perplexity
    layers = streams.layers
  }

  /// Calls `body` with the logits of all models for a few positions of a sequence at a time.
  private static func forEachLogits(
    _ models: [Network], _ hidden: [Matrix], _ group: [[Int]],
    _ body: (_ sequence: [Int], _ positions: Range<Int>, _ logits: [Matrix]) throws -> Void
  ) throws {
    // Three heads of a large vocabulary would be most of the memory of the whole job; decoding them again costs little.
    let heads = try models.map { try $0.head(denseLimit: 32 << 20) }
    let panel = 128
    var start = 0
    for sequence in group {
      for first in stride(from: 0, to: sequence.count, by: panel) {
        let positions = first..<min(first + panel, sequence.count)
        let rows = start + positions.lowerBound..<start + positions.upperBound
        try body(sequence, positions, zip(heads, hidden).map { try $0.logits($1.view(rows: rows)) })
      }
      start += sequence.count
    }
  }
}
