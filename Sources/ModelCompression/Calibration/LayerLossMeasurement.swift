internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute

/// Measures `LayerLosses`: what it will cost first, then the losses.
///
/// A run of layers `i..<i + n` is skipped by giving block `i + n` what the whole model gives block `i`. All skips go through
/// the network together, layer by layer, so a block is decoded once for as many tokens as `memoryLimit` lets run at a time.
public struct LayerLossMeasurement: Sendable {
  public static let defaultTokenLimit = 8192
  /// Tokens that tell which layers to drop: of 32 layers it costs twice as much as to calibrate on 32 × 512 tokens.
  public static let quickTokenLimit = 2048
  /// Bytes of the residual streams that run together.
  public static let defaultMemoryLimit = 256 << 20

  private let model: Checkpoint
  private let sequences: [[Int]]
  /// Layers that are skipped together.
  private let runs: [Range<Int>]
  private let memoryLimit: Int
  /// The lengths of runs, ascending.
  public let lengths: [Int]

  /// - Parameters:
  ///   - lengths: of the runs to skip; length 1 is always measured.
  ///   - tokenLimit: the first sequences of the set up to so many tokens are used, and at least one.
  ///   - memoryLimit: bytes of the residual streams that run together; at least one sequence runs.
  /// - Throws: `CompressionError.invalidPlan` for a length that leaves no layer, `.notEnoughText` for a set without a
  ///   sequence to score.
  public init(
    of model: Checkpoint, on set: CalibrationSet, lengths: [Int] = [], tokenLimit: Int = defaultTokenLimit,
    memoryLimit: Int = defaultMemoryLimit
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
    self.memoryLimit = memoryLimit
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
  private var groups: [[[Int]]] {
    let tokenBytes = (runs.count + 1) * model.hyperparameters.hiddenSize * 4
    return CalibrationSet(sequences: sequences).groups(ofTokens: memoryLimit / max(tokenBytes, 1))
  }

  /// Runs the model with each run of layers skipped.
  ///
  /// - Parameter work: where the sums of the groups of sequences that are done are kept, so that a run that was stopped goes on
  ///   behind them.
  public func run(
    work: CalibrationWork? = nil, progress: @escaping WorkProgress.Handler = { _ in }
  ) throws -> LayerLosses {
    let groups = groups
    var done = try work?.loadLosses(count: runs.count + 1) ?? []
    var completed = done.count * blockPasses
    while done.count < groups.count {
      let sums = try losses(of: groups[done.count]) { passes in
        completed += passes
        progress(
          WorkProgress(
            phase: "skipping layers", completed: completed, total: blockPasses * groups.count, unit: .blocks))
      }
      done.append(sums)
      try work?.saveLosses(done)
    }
    let result = losses(done)
    guard result.baseline.isFinite else {
      throw CompressionError(
        .nonFiniteActivation, "the loss of '\(model.path)' is not finite: nothing can be compared with it")
    }
    return result
  }

  /// The losses of one group of sequences: one for each run, and that of the whole model.
  private func losses(of group: [[Int]], passed: (Int) -> Void) throws -> [TokenLosses] {
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
    return try (streams + [whole]).map { stream in
      guard let stream else { preconditionFailure("a run of layers was not started") }
      var losses = TokenLosses()
      try head.forEachScoredPanel(try network.finalHidden(stream), of: group) { sequence, positions, logits in
        logits.applyLogSoftmax()
        losses.add(logits, positions: positions, of: sequence)
      }
      return losses
    }
  }

  private func losses(_ groups: [[TokenLosses]]) -> LayerLosses {
    var sums = Array(repeating: TokenLosses(), count: runs.count + 1)
    for group in groups { for (index, part) in group.enumerated() { sums[index].add(part) } }
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
