internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompute
internal import OrderedCollections
internal import TensorFormats

/// Parent and pruned model on their way through a text, side by side.
struct HealingRun {
  let parent: Checkpoint
  let student: Checkpoint
  /// The student's rows and heads with all hidden channels of the parent as inputs.
  let wide: Checkpoint
  let plan: PruningPlan
  let settings: Healer.Settings
  let weights: HealedWeights
  private(set) var replaced: [WeightKey: LazyTensor] = [:]
  private(set) var steps: [HealingStep] = []
  /// What the walk has learnt about strengths so far.
  private(set) var ridges: RidgeSearch

  private var fitted: Half
  private var heldOut: Half

  /// The sequences that weights are fitted to, or those that judge the fits.
  struct Half {
    let batch: TokenBatch
    /// The residual streams where the walk is, `tokens × hidden`.
    var parent: Matrix
    var student: Matrix
  }

  init(
    parent: Checkpoint, student: Checkpoint, plan: PruningPlan, settings: Healer.Settings, weights: HealedWeights,
    fitted: TokenBatch, heldOut: TokenBatch
  ) throws {
    self.parent = parent
    self.weights = weights
    self.student = student
    self.plan = plan
    self.settings = settings
    ridges = RidgeSearch(settings.ridges)
    var narrow = plan
    narrow.keptIndices[ScopedAxis(.hidden)] = nil
    wide = try parent.pruned(by: narrow)
    let (a, b) = (parent.network, student.network)
    self.fitted = try Half(batch: fitted, parent: a.embed(fitted), student: b.embed(fitted))
    self.heldOut = try Half(batch: heldOut, parent: a.embed(heldOut), student: b.embed(heldOut))
  }

  /// Walks all blocks of the parent, healing those that are kept.
  mutating func heal(_ progress: (_ done: Int, _ total: Int) -> Void) throws {
    let (source, target) = (parent.network, student.network)
    let count = plan.parentLayerCount
    var layer = 0
    for (position, original) in plan.keptLayers.enumerated() {
      try advanceParent(&layer, to: original, source)
      let end = position + 1 < plan.keptLayers.count ? plan.keptLayers[position + 1] : count
      let reference = try source.block(original)
      var targets = try (
        BlockTargets(reference, &fitted, hidden: hidden), BlockTargets(reference, &heldOut, hidden: hidden)
      )
      layer += 1
      progress(layer, count)
      try advanceParent(&layer, to: end, source)
      targets.0.setOutput(fitted.parent, hidden: hidden)
      targets.1.setOutput(heldOut.parent, hidden: hidden)
      var healer = BlockHealer(
        run: self, layer: position, parentLayer: original, block: try target.block(position), fitted: fitted,
        heldOut: heldOut, targets: targets)
      (fitted.student, heldOut.student) = try healer.heal()
      replaced.merge(healer.replaced) { $1 }
      steps += healer.steps
      ridges = healer.ridges
      progress(layer, count)
    }
    if hidden != nil { try rescaleFinalNorm() }
  }

  private mutating func advanceParent(_ layer: inout Int, to end: Int, _ network: Network) throws {
    guard layer < end else { return }
    fitted.parent = try network.run(fitted.batch, from: fitted.parent, layers: layer..<end)
    heldOut.parent = try network.run(heldOut.batch, from: heldOut.parent, layers: layer..<end)
    layer = end
  }

  /// Rescales the norm before the head, which sees fewer channels than in the parent.
  private mutating func rescaleFinalNorm() throws {
    let key = WeightKey(.finalNorm)
    let hasBias = student.architecture.norm == .layer
    var scale = NormScale(bias: hasBias ? try values(of: WeightKey(.finalNorm, .bias), in: student) : nil)
    func outputs(_ half: Half) throws -> (found: Matrix, wanted: Matrix) {
      (
        try student.network.finalHidden(half.student),
        try parent.network.finalHidden(half.parent).gatheringColumns(hidden)
      )
    }
    let rows = try outputs(fitted)
    scale.add(rows.found, rows.wanted)
    let heldOut = try outputs(heldOut)
    func error(_ factor: Double) -> Double {
      scale.relativeErrors(heldOut.found, heldOut.wanted, factor: factor).reduce(0, +) / Double(heldOut.found.rows)
    }
    var step = HealingStep(
      kind: .normScale, layer: nil, parentLayer: nil, weights: [student.huggingFaceName(of: key)], ridge: nil,
      errorBefore: error(1), errorAfter: error(1), isKept: false, reason: "it does not lower the held-out error")
    defer { steps.append(step) }
    guard let factor = scale.factor, error(factor) < step.errorBefore else { return }
    let weight = NormScale.scaled(
      try values(of: key, in: student), by: factor, offset: student.architecture.normOffset)
    replaced[key] = try weights.keep(weight, shape: [weight.columns])
    (step.errorAfter, step.isKept, step.reason) = (error(factor), true, nil)
  }

  /// Hidden channels that the plan keeps; nil if all.
  var hidden: [Int]? { plan.keptIndices[ScopedAxis(.hidden)] }

  /// A weight of the pruned model as it was cut; a vector is one row.
  func values(of key: WeightKey, in checkpoint: Checkpoint) throws -> Matrix {
    let shape = try checkpoint.shape(of: key)
    let matrix = Matrix(rows: shape.count > 1 ? shape[0] : 1, columns: shape.last ?? 1)
    try checkpoint.decode(key, rows: 0..<shape[0], into: matrix.values)
    return matrix
  }
}

/// What the parent's block held where the pruned model's shall come to.
struct BlockTargets {
  /// By a term's place in the program: the stream that it completes, kept channels only.
  private(set) var streams: [Int: Matrix] = [:]
  /// The stream before it, likewise.
  private(set) var others: [Int: Matrix] = [:]
  /// What the parent's norms over the hidden channels gave, all channels: above all, what its projections read.
  private(set) var normed: [Site: Matrix] = [:]
  private let outputTerm: Int?

  /// Runs the parent's block over one half of the text and moves its stream on.
  init(_ block: Block, _ half: inout HealingRun.Half, hidden: [Int]?) throws {
    var pass = BlockPass(block, half.parent, batch: half.batch)
    let terms = ResidualTerm.all(in: pass.steps)
    let rows = half.batch.rows
    var kept: [Site: Matrix] = [.blockInput: half.parent.gatheringColumns(hidden)]
    var wanted: Set<Site> = []
    for term in terms where term.sum != .blockOutput {
      wanted.insert(term.sum ?? term.contribution)
    }
    let norms = Set(pass.steps.compactMap(\.hiddenNorm).filter { hidden != nil || $0.isInput }.map(\.output))
    var normed: [Site: Matrix] = [:]
    try pass.advance(to: pass.steps.count) { site, range, values in
      if wanted.contains(site) {
        let columns = hidden?.count ?? values.columns
        kept[site] = kept[site] ?? Matrix(rows: rows, columns: columns)
        kept[site]!.view(rows: range).set(values, columns: hidden)
      }
      if norms.contains(site) {
        normed[site] = normed[site] ?? Matrix(rows: rows, columns: values.columns)
        normed[site]!.view(rows: range).set(values, columns: nil)
      }
    }
    half.parent = try pass.finish()
    self.normed = normed
    outputTerm = terms.first { $0.sum == .blockOutput }?.index
    var before = kept[.blockInput]!
    for term in terms {
      others[term.index] = before
      if term.sum == .blockOutput { break }
      before = term.sum.map { kept[$0]! } ?? Matrix.sum([before, kept[term.contribution]!])
      streams[term.index] = before
    }
  }

  /// What the block's output shall be: the parent's stream where the next kept block begins.
  mutating func setOutput(_ stream: Matrix, hidden: [Int]?) {
    if let outputTerm { streams[outputTerm] = stream.gatheringColumns(hidden) }
  }
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
  /// Copies the columns of these indices, or all.
  func set(_ other: Matrix, columns: [Int]?) {
    precondition(rows == other.rows)
    parallelChunks(of: rows, size: 64) { range in
      for row in range {
        let (target, source) = (self[row], other[row])
        if let columns {
          for (position, column) in columns.enumerated() { target[position] = source[column] }
        } else {
          _ = target.update(fromContentsOf: source)
        }
      }
    }
  }

  /// The columns of these indices; the matrix itself if all.
  func gatheringColumns(_ indices: [Int]?) -> Matrix {
    guard let indices else { return self }
    let result = Matrix(rows: rows, columns: indices.count)
    result.set(self, columns: indices)
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
