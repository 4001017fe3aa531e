internal import ModelArchitectures
internal import ModelCompute
internal import TensorFormats

/// What the parent's block held where the pruned model's shall come to.
struct BlockTargets {
  /// By a term's place in the program: the stream that it completes, kept channels only, of each group.
  private var streams: [Int: [StoredMatrix]] = [:]
  /// The stream before it, likewise.
  private var others: [Int: [StoredMatrix]] = [:]
  /// What the parent's norms over the hidden channels gave, all channels: above all, what its projections read.
  private var normed: [Site: [StoredMatrix]] = [:]
  private let outputTerm: Int?
  private let hidden: [Int]?
  private let store: MatrixStore

  /// Runs the parent's block over one half of the text and moves its stream on.
  init(_ block: Block, _ half: inout HealingRun.Half, hidden: [Int]?, _ store: MatrixStore) throws {
    self.hidden = hidden
    self.store = store
    var pass = BlockPass(block, half.parent, groups: half.groups, store: store)
    let terms = ResidualTerm.all(in: pass.steps)
    let wanted = Set(terms.filter { $0.sum != .blockOutput }.map { $0.sum ?? $0.contribution })
    let norms = Set(pass.steps.compactMap(\.hiddenNorm).filter { hidden != nil || $0.isInput }.map(\.output))
    outputTerm = terms.first { $0.sum == .blockOutput }?.index
    var kept: [Site: [StoredMatrix]] = [:]
    kept[.blockInput] = try keptChannels(of: half.parent)
    var normed: [Site: [StoredMatrix]] = [:]
    try pass.advance(to: pass.steps.count) { site, _, values in
      if wanted.contains(site) { kept[site, default: []].append(try store.keep(values.gatheringColumns(hidden))) }
      if norms.contains(site) { normed[site, default: []].append(try store.keep(values)) }
    }
    half.parent = try pass.finish()
    self.normed = normed
    var before = kept[.blockInput]!
    for term in terms {
      others[term.index] = before
      if term.sum == .blockOutput { break }
      before = try term.sum.map { kept[$0]! } ?? sums(before, kept[term.contribution]!)
      streams[term.index] = before
    }
  }

  private func sums(_ left: [StoredMatrix], _ right: [StoredMatrix]) throws -> [StoredMatrix] {
    try zip(left, right).map { try store.keep(Matrix.sum([$0.load(), $1.load()])) }
  }

  private func keptChannels(of stream: [StoredMatrix]) throws -> [StoredMatrix] {
    guard let hidden else { return stream }
    return try stream.map { try store.keep($0.load().gatheringColumns(hidden)) }
  }

  /// What the block's output shall be: the parent's stream where the next kept block begins.
  mutating func setOutput(_ stream: [StoredMatrix]) throws {
    if let outputTerm { streams[outputTerm] = try keptChannels(of: stream) }
  }

  /// The stream that the term at this place should complete, for a group.
  func stream(behind term: Int, group: Int) throws -> Matrix { try streams[term]![group].load() }

  /// The parent's stream before the term at this place, for a group.
  func stream(before term: Int, group: Int) throws -> Matrix { try others[term]![group].load() }

  /// What the parent's norm at this site gave, all channels, for a group.
  func normed(_ site: Site, group: Int) throws -> Matrix { try normed[site]![group].load() }
}

extension Step {
  /// The norm over the hidden channels that the step is.
  var hiddenNorm: NormStep? {
    guard case .norm(let norm) = self, norm.heads == nil else { return nil }
    return norm
  }
}

extension NormStep {
  /// Whether projections read what it gives.
  var isInput: Bool { output == .attentionInput || output == .feedForwardInput }
}

extension Matrix {
  /// The columns of these indices; the matrix itself if all.
  func gatheringColumns(_ indices: [Int]?) -> Matrix {
    guard let indices else { return self }
    let result = Matrix(rows: rows, columns: indices.count)
    parallelChunks(of: rows, size: 64) { range in
      for row in range {
        let (target, source) = (result[row], self[row])
        for (position, column) in indices.enumerated() { target[position] = source[column] }
      }
    }
    return result
  }

  /// The sum of matrices of one shape.
  static func sum(_ terms: [Matrix]) -> Matrix {
    let result = terms[0].copy()
    for term in terms.dropFirst() {
      parallelChunks(of: result.rows, size: 64) { range in
        for row in range {
          let (target, source) = (result[row], term[row])
          for column in target.indices { target[column] += source[column] }
        }
      }
    }
    return result
  }
}
