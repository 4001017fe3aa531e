#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute

/// The run that gathers `ActivationStatistics`: all sequences go through a block before the next is decoded.
///
/// Between two blocks the residual stream of all tokens waits in memory, or in the files of a `CalibrationWork`. Then memory does
/// not depend on the number of tokens, and a run that was stopped goes on behind the last block that was done, to the same
/// bytes as one that was not.
public struct Calibration {
  private let model: Checkpoint
  private let groups: [TokenBatch]
  private let sequenceCount: Int
  private let work: CalibrationWork?
  private let current: any RowStorage
  private let next: any RowStorage
  /// The residual stream at the last token of each sequence: what goes into each block, one after the other, and what leaves
  /// the last.
  private let lastTokens: any RowStorage

  /// Tokens whose residual stream is in memory at a time: several groups for every worker.
  private static let tokensAtOnce = 8 * TokenBatch.rowsOfWorker

  /// - Parameter work: where the residual stream waits; in memory if nil.
  public init(of model: Checkpoint, on set: CalibrationSet, work: CalibrationWork? = nil) throws {
    let sequences = set.sequences.filter { !$0.isEmpty }
    guard !sequences.isEmpty else { throw CompressionError(.notEnoughText, "no text to measure the layers on") }
    self.model = model
    self.work = work
    groups = CalibrationSet(sequences: sequences).groups(ofTokens: Self.tokensAtOnce).map { TokenBatch($0) }
    sequenceCount = sequences.count
    let (hidden, layers) = (model.hyperparameters.hiddenSize, model.hyperparameters.layerCount)
    let tokens = sequences.reduce(0) { $0 + $1.count }
    if let work {
      try work.checkSpace((2 * tokens + (layers + 1) * sequences.count) * hidden * 4)
      current = try work.rows("stream-0", columns: hidden, forgets: true)
      next = try work.rows("stream-1", columns: hidden, forgets: true)
      lastTokens = try work.rows("last-tokens", columns: hidden)
    } else {
      current = MemoryRows(rows: tokens, columns: hidden)
      next = current
      lastTokens = MemoryRows(rows: (layers + 1) * sequences.count, columns: hidden)
    }
  }

  /// Runs the model, or what is left of it.
  /// - Throws: what the forward pass throws, `FileError`, and `CancellationError` when the task is cancelled: with a `CalibrationWork`
  ///   the next run goes on from there.
  public func run(progress: @escaping WorkProgress.Handler = { _ in }) throws -> ActivationStatistics {
    let layerCount = model.hyperparameters.layerCount
    var measured = try work?.loadState().map { try Measured($0, layerCount: layerCount) } ?? Measured()
    let network = model.network
    if measured.layers.isEmpty { try embed(network) }
    while measured.layers.count < layerCount {
      let layer = measured.layers.count
      let collector = try run(network.block(layer), from: stream(before: layer), to: stream(before: layer + 1))
      guard collector.cosines.isFinite else {
        throw CompressionError(
          .nonFiniteActivation, "layer \(layer) of '\(model.path)' gives numbers that are not finite")
      }
      measured.layers.append(collector.sites)
      measured.cosines.append(collector.cosines)
      try save(measured)
      progress(WorkProgress(phase: "calibrating", completed: layer + 1, total: layerCount, unit: .blocks))
    }
    return try statistics(measured, network)
  }

  // MARK: Blocks

  /// Where the stream is that goes into a block: the two storages take turns.
  private func stream(before layer: Int) -> any RowStorage { layer.isMultiple(of: 2) ? current : next }

  private func embed(_ network: Network) throws {
    try forEachGroup { group, rows, _ in try current.store(try network.embed(group), from: rows.lowerBound) }
  }

  private func run(
    _ block: Block, from input: any RowStorage, to output: any RowStorage
  ) throws -> StatisticsCollector {
    var collector = StatisticsCollector()
    try forEachGroup { group, rows, firstSequence in
      let stream = try input.load(rows)
      try keepLastTokens(of: stream, group, layer: block.layer, firstSequence)
      try block.advance(stream, batch: group, observing: StatisticsCollector.observed) { observation in
        collector.add(
          observation.site, observation.values, sequences: group.sequences(within: observation.rows))
      }
      try output.store(stream, from: rows.lowerBound)
    }
    return collector
  }

  private func keepLastTokens(of stream: Matrix, _ group: TokenBatch, layer: Int, _ firstSequence: Int) throws {
    let last = Matrix(rows: group.sequences.count, columns: stream.columns)
    for (index, sequence) in group.sequences.enumerated() {
      _ = last[index].update(fromContentsOf: stream[sequence.upperBound - 1])
    }
    try lastTokens.store(last, from: layer * sequenceCount + firstSequence)
  }

  /// Calls `body` with each group of sequences, its rows among all tokens, and the number of its first sequence.
  private func forEachGroup(_ body: (TokenBatch, Range<Int>, Int) throws -> Void) throws {
    var (row, sequence) = (0, 0)
    for group in groups {
      try Task.checkCancellation()
      try body(group, row..<row + group.rows, sequence)
      row += group.rows
      sequence += group.sequences.count
    }
  }

  private func save(_ measured: Measured) throws {
    guard let work else { return }
    // What the state speaks of is on the disk before the state is.
    for case let rows as FileRows in [stream(before: measured.layers.count), lastTokens] { try rows.synchronize() }
    try work.saveState(measured.tensors)
  }

  // MARK: Results

  private func statistics(_ measured: Measured, _ network: Network) throws -> ActivationStatistics {
    let layerCount = measured.layers.count
    var final = ChannelStatistics(channelCount: model.hyperparameters.hiddenSize)
    try forEachGroup { group, rows, firstSequence in
      let stream = try stream(before: layerCount).load(rows)
      try keepLastTokens(of: stream, group, layer: layerCount, firstSequence)
      final.add(try network.finalHidden(stream), sequences: group.sequences)
    }
    let tokens = groups.reduce(0) { $0 + $1.rows }
    return ActivationStatistics(
      layers: measured.layers, finalHidden: final,
      influence: BlockInfluence(scores: measured.cosines.map { 1 - $0 / Double(tokens) }, tokenCount: tokens),
      angularDistances: try angularDistances(layerCount), tokenCount: tokens, sequenceCount: sequenceCount)
  }

  /// Sequences whose last tokens are compared at a time.
  private static let sequencesAtOnce = 64

  private func angularDistances(_ layerCount: Int) throws -> [[Double]] {
    var sums = (0..<layerCount).map { [Double](repeating: 0, count: layerCount - $0) }
    for start in stride(from: 0, to: sequenceCount, by: Self.sequencesAtOnce) {
      let count = min(Self.sequencesAtOnce, sequenceCount - start)
      let streams = try (0...layerCount).map { layer in
        let first = layer * sequenceCount + start
        return try lastTokens.load(first..<first + count)
      }
      let parts = parallelMap(of: layerCount) { layer in
        (layer + 1...layerCount).map { angleSum(streams[layer], streams[$0]) }
      }
      for layer in 0..<layerCount {
        for index in sums[layer].indices { sums[layer][index] += parts[layer][index] }
      }
    }
    return sums.map { $0.map { $0 / Double(sequenceCount) } }
  }
}

/// What is known of the blocks that are done.
private struct Measured {
  var layers: [[Site: ChannelStatistics]] = []
  var cosines: [Double] = []

  init() {}

  init(_ reader: NumberReader, layerCount: Int) throws {
    cosines = try reader.numbers("cosines")
    guard cosines.count <= layerCount else {
      throw CompressionError(
        .wrongStatistics, "'\(reader.path)' has \(cosines.count) blocks, expected at most \(layerCount)")
    }
    layers = try cosines.indices.map { try reader.sites(layer: $0) }
  }

  var tensors: NumberTensors {
    var tensors = NumberTensors()
    for (layer, sites) in layers.enumerated() { tensors.add(sites, layer: layer) }
    tensors.add(cosines, "cosines")
    return tensors
  }
}

extension TokenBatch {
  /// The sequences that lie in `rows`, counted from its start. A group that is observed is made of whole sequences.
  fileprivate func sequences(within rows: Range<Int>) -> [Range<Int>] {
    sequences.filter { rows.contains($0.lowerBound) }.map {
      $0.lowerBound - rows.lowerBound..<$0.upperBound - rows.lowerBound
    }
  }
}

/// Sum over rows of acos(cos) ÷ π.
private func angleSum(_ a: Matrix, _ b: Matrix) -> Double {
  (0..<a.rows).reduce(0.0) { $0 + acos(min(1, max(-1, cosine(a[$1], b[$1])))) / Double.pi }
}
