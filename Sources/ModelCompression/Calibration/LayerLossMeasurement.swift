internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute

/// Measures `LayerLosses`: what it will cost first, then the losses.
///
/// A run of layers `i..<i + n` is skipped by giving block `i + n` what the whole model gives block `i`. All skips go through
/// the network together, layer by layer, so a block is decoded once for as many tokens as `memoryLimit` lets run at a time.
public struct LayerLossMeasurement: Sendable {
  public static let defaultTokenLimit = 8192
  /// Bytes of the residual streams that run together.
  static let memoryLimit = 512 << 20

  let model: Checkpoint
  let sequences: [[Int]]
  /// Layers that are skipped together.
  let runs: [Range<Int>]
  /// The lengths of runs, ascending.
  public let lengths: [Int]

  /// - Parameters:
  ///   - lengths: of the runs to skip; length 1 is always measured.
  ///   - tokenLimit: the first sequences of the set up to so many tokens are used, and at least one.
  /// - Throws: `CompressionError.invalidPlan` for a length that leaves no layer, `.notEnoughText` for a set without a
  ///   sequence to score.
  public init(
    of model: Checkpoint, on set: CalibrationSet, lengths: [Int] = [], tokenLimit: Int = defaultTokenLimit
  ) throws {
    let layerCount = model.hyperparameters.layerCount
    let lengths = Set(lengths + [1]).sorted()
    for length in lengths where !(1..<layerCount).contains(length) {
      throw CompressionError(
        .invalidPlan, "cannot skip \(length) of \(layerCount) layers, expected 1 to \(layerCount - 1)")
    }
    var sequences: [[Int]] = []
    var tokens = 0
    for sequence in set.sequences where !sequence.isEmpty {
      guard sequences.isEmpty || tokens + sequence.count <= tokenLimit else { break }
      sequences.append(sequence)
      tokens += sequence.count
    }
    try CalibrationSet(sequences: sequences).checkScoredTokens()
    self.model = model
    self.sequences = sequences
    self.lengths = lengths
    runs = lengths.flatMap { length in (0...layerCount - length).map { $0..<$0 + length } }
  }

  public var tokenCount: Int { sequences.reduce(0) { $0 + $1.count } }
  public var runCount: Int { runs.count }

  /// How often all tokens go through one block. Each run and the whole model go through the head besides.
  public var blockPasses: Int {
    let layerCount = model.hyperparameters.layerCount
    return runs.reduce(layerCount) { $0 + layerCount - $1.upperBound }
  }

  /// Seconds that `run` takes, from one sequence sent through one block and the head.
  public func estimatedSeconds() throws -> Double {
    let network = model.network
    let sample = TokenBatch([sequences[0]])
    let stream = try network.embed(sample)
    var block: Block?
    let decoding = try seconds { block = try network.block(0) }
    try block?.advance(stream, batch: sample)
    let passing = try seconds { try block?.advance(stream, batch: sample) }
    let scored = stream.view(rows: 0..<min(stream.rows, 128))
    let head = try network.head()
    let scoring = try seconds { try head.forEachPanel(scored) { $1.applyLogSoftmax() } }
    let tokens = Double(tokenCount)
    let blocks = Double(blockPasses) * passing * tokens / Double(stream.rows)
    let heads = Double(runs.count + 1) * scoring * tokens / 2 / Double(scored.rows)
    return blocks + heads + decoding * Double(model.hyperparameters.layerCount * groups.count)
  }

  /// Sequences that run together.
  var groups: [[[Int]]] {
    let tokenBytes = (runs.count + 1) * model.hyperparameters.hiddenSize * 4
    return CalibrationSet(sequences: sequences).groups(ofTokens: Self.memoryLimit / max(tokenBytes, 1))
  }

  /// Runs the model with each run of layers skipped.
  public func run(progress: @escaping WorkProgress.Handler = { _ in }) throws -> LayerLosses {
    let groups = groups
    let total = blockPasses * groups.count
    var completed = 0
    var sums = Array(repeating: TokenLosses(), count: runs.count + 1)
    for group in groups {
      try add(group, to: &sums) { passes in
        completed += passes
        progress(WorkProgress(phase: "skipping layers", completed: completed, total: total, unit: .blocks))
      }
    }
    return losses(sums)
  }

  /// Adds the losses of one group of sequences: one for each run, and that of the whole model.
  private func add(_ group: [[Int]], to sums: inout [TokenLosses], passed: (Int) -> Void) throws {
    let network = model.network
    let batch = TokenBatch(group)
    let whole = try network.embed(batch)
    var streams: [Matrix?] = Array(repeating: nil, count: runs.count)
    for layer in 0..<model.hyperparameters.layerCount {
      for (index, run) in runs.enumerated() where run.lowerBound == layer { streams[index] = whole.copy() }
      let block = try network.block(layer)
      try block.advance(whole, batch: batch)
      var passes = 1
      for (index, run) in runs.enumerated() where run.upperBound <= layer {
        if let stream = streams[index] { try block.advance(stream, batch: batch) }
        passes += 1
      }
      passed(passes)
    }
    let head = try network.head()
    for (index, stream) in (streams + [whole]).enumerated() {
      guard let stream else { preconditionFailure("run \(index) was not started") }
      try head.forEachScoredPanel(try network.finalHidden(stream), of: group) { sequence, positions, logits in
        logits.applyLogSoftmax()
        sums[index].add(logits, positions: positions, of: sequence)
      }
      if index < streams.count { streams[index] = nil }
    }
  }

  private func losses(_ sums: [TokenLosses]) -> LayerLosses {
    var losses: [Int: [Double]] = [:]
    for (run, sum) in zip(runs, sums) { losses[run.count, default: []].append(sum.perplexity.meanLoss) }
    return LayerLosses(
      baseline: sums[runs.count].perplexity.meanLoss, tokenCount: tokenCount, losses: losses)
  }
}

/// Seconds that `body` takes.
private func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  return (ContinuousClock.now - start) / .seconds(1)
}
