public import ModelArchitectures
internal import TensorFormats

/// What a site held for some tokens of a batch.
public struct Observation: Sendable {
  public let layer: Int
  public let site: Site
  /// Rows of the batch.
  public let rows: Range<Int>
  /// `rows × width`
  public let values: Matrix
}

extension Network {
  /// Runs blocks layer by layer: all sequences go through one, then its weights are let go.
  ///
  /// - Parameters:
  ///   - input: what the first of the blocks reads, `tokens × hidden`; the embeddings of the batch if nil.
  ///   - layers: which blocks; all if nil.
  ///   - sites: where `observer` looks: block by block, and within a block group by group of sequences; one call at a time, from
  ///     any thread.
  ///   - replacements: what takes the place of a site's matrix.
  ///   - progress: called after each block with the number of blocks done and of all.
  /// - Returns: `.blockOutput` of the last block, `tokens × hidden`.
  /// - Throws: what the weight source throws, `ComputeError`, what the observer throws, and `CancellationError`.
  public func run(
    _ batch: TokenBatch, from input: Matrix? = nil, layers: Range<Int>? = nil, observing sites: Set<Site> = [],
    observer: ((Observation) throws -> Void)? = nil, replacing replacements: [Site: (Matrix) throws -> Matrix] = [:],
    progress: ((_ done: Int, _ total: Int) -> Void)? = nil
  ) throws -> Matrix {
    let layers = layers ?? 0..<program.blocks.count
    let hidden = try input?.copy() ?? embed(batch)
    precondition(hidden.rows == batch.rows, "\(hidden.rows) rows for \(batch.rows) tokens")
    for layer in layers {
      try block(layer).advance(hidden, batch: batch, observing: sites, observer: observer, replacing: replacements)
      progress?(layer - layers.lowerBound + 1, layers.count)
    }
    return hidden
  }
}

extension Block {
  /// Runs the block over a residual stream in place, group by group of sequences.
  ///
  /// - Parameters:
  ///   - stream: `.blockInput` of all tokens of the batch, `tokens × hidden`; `.blockOutput` afterwards.
  ///   - sites: where `observer` looks, group after group and within each in the order of the program; one call at a time, from
  ///     any thread.
  ///   - replacements: what takes the place of a site's matrix.
  /// - Throws: `ComputeError`, what the observer throws, and `CancellationError`.
  public func advance(
    _ stream: Matrix, batch: TokenBatch, observing sites: Set<Site> = [],
    observer: ((Observation) throws -> Void)? = nil, replacing replacements: [Site: (Matrix) throws -> Matrix] = [:]
  ) throws {
    precondition(stream.rows == batch.rows, "\(stream.rows) rows for \(batch.rows) tokens")
    let groups = batch.groups(ofRows: TokenBatch.rowsOfWorker)
    // What replaces a matrix may not be called from two threads.
    let alone = replacements.isEmpty ? countForWorkers(groups, of: batch) : 0
    try advance(stream, batch, groups: Array(groups[..<alone]), observing: sites, observer)
    for group in groups[alone...] {
      try Task.checkCancellation()
      let rows = batch.rows(ofSequences: group)
      let slice = stream.view(rows: rows)
      let output = try forward(
        slice, batch: batch[sequences: group], observing: sites,
        observer: observer.map { observer in
          { try observer(Observation(layer: layer, site: $0, rows: rows, values: $1)) }
        }, replacing: replacements)
      // Nobody reads the input of these rows again.
      slice.start.update(from: output.start, count: output.count)
    }
  }

  /// The same with a worker for each group: they wait for each other at the end only, not after every step.
  private func advance(
    _ stream: Matrix, _ batch: TokenBatch, groups: [Range<Int>], observing sites: Set<Site>,
    _ observer: ((Observation) throws -> Void)?
  ) throws {
    let turns = Turns(count: groups.count)
    // One thread at a time calls it.
    nonisolated(unsafe) let observer = observer
    try parallelChunks(of: groups.count, size: 1) { chunk in
      for index in chunk {
        let rows = batch.rows(ofSequences: groups[index])
        let slice = stream.view(rows: rows)
        var seen: [Observation] = []
        let result = Result {
          try Task.checkCancellation()
          return try forward(slice, batch: batch[sequences: groups[index]], observing: sites) {
            if observer != nil { seen.append(Observation(layer: layer, site: $0, rows: rows, values: $1)) }
          }
        }
        try turns.take(index) {
          let output = try result.get()
          for observation in seen { try observer?(observation) }
          slice.start.update(from: output.start, count: output.count)
        }
      }
    }
  }

  /// Bytes of activations that all workers together may have under way.
  private static let largestShare = 512 << 20

  /// How many groups workers take alone: the first, as many as leave none of them over; none if there are few of them or if they are
  /// large.
  private func countForWorkers(_ groups: [Range<Int>], of batch: TokenBatch) -> Int {
    let workers = freeProcessorCount
    let longest = groups.map { batch.rows(ofSequences: $0).count }.max() ?? 0
    // Four matrices of the widest are alive at a time.
    let bytes = workers * longest * section.network.hyperparameters.intermediateSize * 4 * 4
    return workers > 1 && bytes <= Self.largestShare ? groups.count / workers * workers : 0
  }
}

extension TokenBatch {
  /// Tokens that go through a block at once. Enough for matrix products to run at full speed, few enough for what lies between
  /// them to stay near the caches.
  public static let rowsAtOnce = 1024
  /// Tokens that a worker takes through a block alone if others do the same.
  public static let rowsOfWorker = 512

  /// Calls `body` with groups of neighbouring sequences and their rows.
  func forEachGroup(_ body: (TokenBatch, Range<Int>) throws -> Void) throws {
    for group in groups(ofRows: Self.rowsAtOnce) {
      try Task.checkCancellation()
      try body(self[sequences: group], rows(ofSequences: group))
    }
  }
}
