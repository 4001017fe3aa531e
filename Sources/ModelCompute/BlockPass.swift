public import ModelArchitectures

/// One block run over a whole batch step by step, so that a weight can be looked at with everything that it reads, be replaced,
/// and the pass go on.
///
/// Between the steps it holds the sites that are still to be read, for all tokens.
public struct BlockPass {
  public let layer: Int
  /// The program of the block.
  public var steps: [Step] { section.steps }
  /// Number of steps that are done.
  public private(set) var position = 0

  private let section: Section
  private var groups: [Group]

  private struct Group {
    let rows: Range<Int>
    var frame: Frame
  }

  /// Starts a pass.
  ///
  /// - Parameters:
  ///   - input: `.blockInput`, `tokens × hidden`; only read.
  ///   - batch: the tokens of all sequences; they go through the steps in groups of whole sequences.
  public init(_ block: Block, _ input: Matrix, batch: TokenBatch) {
    precondition(input.rows == batch.rows, "\(input.rows) rows for \(batch.rows) tokens")
    layer = block.layer
    section = block.section
    groups = batch.groups(ofRows: TokenBatch.rowsAtOnce).map { range in
      let rows = batch.rows(ofSequences: range)
      var frame = Frame(
        weights: block.section.weights, batch: batch[sequences: range], past: .empty, network: block.section.network)
      frame.sites.set(input.view(rows: rows), at: .blockInput)
      return Group(rows: rows, frame: frame)
    }
  }

  /// Runs the steps before the one of this index.
  ///
  /// - Parameter observer: called with the output of every step that is run, group by group.
  public mutating func advance(
    to step: Int, observer: ((_ site: Site, _ rows: Range<Int>, _ values: Matrix) throws -> Void)? = nil
  ) throws {
    precondition(position <= step && step <= steps.count, "step \(step) after step \(position) of \(steps.count)")
    for index in groups.indices {
      try Task.checkCancellation()
      var probes = Probes()
      if let observer {
        let rows = groups[index].rows
        probes.observed = Set(steps[position..<step].map(\.output))
        probes.observer = { try observer($0, rows, $1) }
      }
      try section.run(position..<step, in: &groups[index].frame, probes: probes)
    }
    position = step
  }

  /// What the sites hold for one group of rows.
  public struct View {
    public let rows: Range<Int>
    fileprivate let sites: Sites

    /// The values of a site that a later step reads, or that a previewed step wrote.
    public subscript(site: Site) -> Matrix { sites[site] }
  }

  /// Calls `body` with what every group of rows would hold after the next `count` steps; the pass stays where it is.
  ///
  /// - Parameter replacements: weights that take the place of the block's own, as in `replace`.
  public func preview(
    _ count: Int, replacing replacements: [WeightKey: Matrix] = [:], _ body: (View) throws -> Void
  ) throws {
    precondition(position + count <= steps.count, "\(count) steps after step \(position) of \(steps.count)")
    for group in groups {
      try Task.checkCancellation()
      var frame = group.frame
      for (key, values) in replacements { frame.weights.replace(key, with: values) }
      try section.preview(position..<position + count, in: &frame)
      try body(View(rows: group.rows, sites: frame.sites))
    }
  }

  /// What the pass multiplies or adds from now on in place of a weight: `(out, in)`, or one row for a vector.
  public mutating func replace(_ key: WeightKey, with values: Matrix) {
    precondition(key.layer == layer, "\(key) is no weight of layer \(layer)")
    for index in groups.indices { groups[index].frame.weights.replace(key, with: values) }
  }

  /// Runs what is left and returns `.blockOutput`, `tokens × hidden`.
  public mutating func finish() throws -> Matrix {
    try advance(to: steps.count)
    let site = steps[steps.count - 1].output
    guard let last = groups.last else { return Matrix(rows: 0, columns: 0) }
    let columns = last.frame.sites[site].columns
    let output = Matrix(rows: last.rows.upperBound, columns: columns)
    for group in groups {
      let values = group.frame.sites[site]
      output.view(rows: group.rows).start.update(from: values.start, count: values.count)
    }
    groups = []
    return output
  }
}
