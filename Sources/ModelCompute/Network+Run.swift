public import ModelArchitectures

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
  ///   - sites: where `observer` looks: block by block, and within a block group by group of sequences.
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
  ///   - sites: where `observer` looks, within each group in the order of the program.
  ///   - replacements: what takes the place of a site's matrix.
  /// - Throws: `ComputeError`, what the observer throws, and `CancellationError`.
  public func advance(
    _ stream: Matrix, batch: TokenBatch, observing sites: Set<Site> = [],
    observer: ((Observation) throws -> Void)? = nil, replacing replacements: [Site: (Matrix) throws -> Matrix] = [:]
  ) throws {
    precondition(stream.rows == batch.rows, "\(stream.rows) rows for \(batch.rows) tokens")
    try batch.forEachGroup { part, rows in
      let slice = stream.view(rows: rows)
      let output = try forward(
        slice, batch: part, observing: sites,
        observer: observer.map { observer in
          { try observer(Observation(layer: layer, site: $0, rows: rows, values: $1)) }
        }, replacing: replacements)
      // Nobody reads the input of these rows again.
      slice.start.update(from: output.start, count: output.count)
    }
  }
}

extension TokenBatch {
  /// Tokens that go through a block at once. Enough for matrix products to run at full speed, few enough for what lies between
  /// them to stay near the caches.
  public static let rowsAtOnce = 1024

  /// Calls `body` with groups of neighbouring sequences and their rows.
  func forEachGroup(_ body: (TokenBatch, Range<Int>) throws -> Void) throws {
    for group in groups(ofRows: Self.rowsAtOnce) {
      try Task.checkCancellation()
      try body(self[sequences: group], rows(ofSequences: group))
    }
  }
}
