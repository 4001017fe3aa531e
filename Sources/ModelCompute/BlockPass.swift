public import ModelArchitectures

/// One block run over groups of sequences step by step, so that a weight can be looked at with everything that it reads, be replaced,
/// and the pass go on.
///
/// Between the steps the sites that are still to be read wait, for all tokens, in a store.
public struct BlockPass {
  public let layer: Int
  /// The program of the block.
  public var steps: [Step] { section.steps }
  /// Number of steps that are done.
  public private(set) var position = 0

  private let section: Section
  private let store: MatrixStore
  private var weights: StepWeights
  private var groups: [Group]

  private struct Group {
    let batch: TokenBatch
    /// What later steps read.
    var sites: [Site: StoredMatrix]
  }

  /// Starts a pass.
  ///
  /// - Parameters:
  ///   - input: `.blockInput` of each group, `tokens × hidden`.
  ///   - groups: sequences that go through the steps together.
  ///   - store: where sites wait.
  public init(_ block: Block, _ input: [StoredMatrix], groups: [TokenBatch], store: MatrixStore) {
    precondition(input.map(\.rows) == groups.map(\.rows), "\(input.map(\.rows)) rows for \(groups.map(\.rows)) tokens")
    layer = block.layer
    section = block.section
    weights = block.section.weights
    self.store = store
    self.groups = zip(groups, input).map { Group(batch: $0, sites: [.blockInput: $1]) }
  }

  /// Runs the steps before the one of this index.
  ///
  /// - Parameter observer: called with the output of every step that is run, group by group.
  public mutating func advance(
    to step: Int, observer: ((_ site: Site, _ group: Int, _ values: Matrix) throws -> Void)? = nil
  ) throws {
    precondition(position <= step && step <= steps.count, "step \(step) after step \(position) of \(steps.count)")
    guard step > position else { return }
    for index in groups.indices {
      try Task.checkCancellation()
      var probes = Probes()
      if let observer {
        probes.observed = Set(steps[position..<step].map(\.output))
        probes.observer = { try observer($0, index, $1) }
      }
      var frame = try frame(of: groups[index])
      try section.run(position..<step, in: &frame, probes: probes)
      let before = groups[index].sites
      groups[index].sites = try frame.sites.matrices.reduce(into: [:]) { sites, entry in
        sites[entry.key] = try before[entry.key] ?? store.keep(entry.value)
      }
    }
    position = step
  }

  /// What the sites hold for one group of sequences.
  public struct View {
    /// The place of the group among all.
    public let group: Int
    /// Its rows among those of all groups.
    public let rows: Range<Int>
    fileprivate let sites: Sites

    /// The values of a site that a later step reads, or that a previewed step wrote.
    public subscript(site: Site) -> Matrix { sites[site] }
  }

  /// Calls `body` with what every group would hold after the next `count` steps; the pass stays where it is.
  ///
  /// - Parameter replacements: weights that take the place of the block's own, as in `replace`.
  public func preview(
    _ count: Int, replacing replacements: [WeightKey: Matrix] = [:], _ body: (View) throws -> Void
  ) throws {
    precondition(position + count <= steps.count, "\(count) steps after step \(position) of \(steps.count)")
    var row = 0
    for (index, group) in groups.enumerated() {
      try Task.checkCancellation()
      var frame = try frame(of: group)
      for (key, values) in replacements { frame.weights.replace(key, with: values) }
      try section.preview(position..<position + count, in: &frame)
      try body(View(group: index, rows: row..<row + group.batch.rows, sites: frame.sites))
      row += group.batch.rows
    }
  }

  /// What the pass multiplies or adds from now on in place of a weight: `(out, in)`, or one row for a vector.
  public mutating func replace(_ key: WeightKey, with values: Matrix) {
    precondition(key.layer == layer, "\(key) is no weight of layer \(layer)")
    weights.replace(key, with: values)
  }

  /// Runs what is left and returns `.blockOutput` of each group, `tokens × hidden`.
  public mutating func finish() throws -> [StoredMatrix] {
    try advance(to: steps.count)
    let site = steps[steps.count - 1].output
    defer { groups = [] }
    return groups.map { $0.sites[site]! }
  }

  private func frame(of group: Group) throws -> Frame {
    var frame = Frame(weights: weights, batch: group.batch, past: .empty, network: section.network)
    for (site, matrix) in group.sites { frame.sites.set(try matrix.load(), at: site) }
    return frame
  }
}
