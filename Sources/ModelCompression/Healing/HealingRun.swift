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
  /// Where the activations of all tokens wait.
  let store: MatrixStore
  private(set) var replaced: [WeightKey: LazyTensor] = [:]
  private(set) var steps: [HealingStep] = []
  /// What the walk has learnt about strengths so far.
  private(set) var ridges: RidgeSearch

  private var fitted: Half
  private var heldOut: Half

  /// The sequences that weights are fitted to, or those that judge the fits.
  struct Half {
    /// Sequences that go through a block together.
    let groups: [TokenBatch]
    /// The residual streams where the walk is, `tokens × hidden` of each group.
    var parent: [StoredMatrix]
    var student: [StoredMatrix]

    init(_ batch: TokenBatch, _ parent: Network, _ student: Network, _ store: MatrixStore) throws {
      groups = batch.split()
      self.parent = try groups.map { try store.keep(parent.embed($0)) }
      self.student = try groups.map { try store.keep(student.embed($0)) }
    }
  }

  init(
    parent: Checkpoint, student: Checkpoint, plan: PruningPlan, settings: Healer.Settings, scratchFolder: String?,
    fitted: TokenBatch, heldOut: TokenBatch
  ) throws {
    self.parent = parent
    weights = try HealedWeights(folder: scratchFolder)
    store = try MatrixStore(folder: scratchFolder)
    self.student = student
    self.plan = plan
    self.settings = settings
    ridges = RidgeSearch(settings.ridges)
    var narrow = plan
    narrow.keptIndices[ScopedAxis(.hidden)] = nil
    wide = try parent.pruned(by: narrow)
    self.fitted = try Half(fitted, parent.network, student.network, store)
    self.heldOut = try Half(heldOut, parent.network, student.network, store)
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
        BlockTargets(reference, &fitted, hidden: hidden, store),
        BlockTargets(reference, &heldOut, hidden: hidden, store)
      )
      layer += 1
      progress(layer, count)
      try advanceParent(&layer, to: end, source)
      try targets.0.setOutput(fitted.parent)
      try targets.1.setOutput(heldOut.parent)
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
    for _ in layer..<end {
      let block = try network.block(layer)
      try fitted.advanceParent(block, store)
      try heldOut.advanceParent(block, store)
      layer += 1
    }
  }

  /// Rescales the norm before the head, which sees fewer channels than in the parent.
  private mutating func rescaleFinalNorm() throws {
    let key = WeightKey(.finalNorm)
    let hasBias = student.architecture.norm == .layer
    var scale = NormScale(bias: hasBias ? try values(of: WeightKey(.finalNorm, .bias), in: student) : nil)
    try forEachOutput(of: fitted) { scale.add($0, $1) }
    func error(_ factor: Double) throws -> Double {
      var errors: [Double] = []
      try forEachOutput(of: heldOut) { errors += scale.relativeErrors($0, $1, factor: factor) }
      return errors.reduce(0, +) / Double(errors.count)
    }
    let before = try error(1)
    var step = HealingStep(
      kind: .normScale, layer: nil, parentLayer: nil, weights: [student.huggingFaceName(of: key)], ridge: nil,
      errorBefore: before, errorAfter: before, isKept: false, reason: "it does not lower the held-out error")
    defer { steps.append(step) }
    guard let factor = scale.factor else { return }
    let after = try error(factor)
    guard after < before else { return }
    let weight = NormScale.scaled(
      try values(of: key, in: student), by: factor, offset: student.architecture.normOffset)
    replaced[key] = try weights.keep(weight, shape: [weight.columns])
    (step.errorAfter, step.isKept, step.reason) = (after, true, nil)
  }

  /// Calls `body`, group by group, with what the last norm gives and what it should, on the kept channels.
  private func forEachOutput(of half: Half, _ body: (_ found: Matrix, _ wanted: Matrix) throws -> Void) throws {
    let (source, target) = (parent.network, student.network)
    for (parent, student) in zip(half.parent, half.student) {
      try body(
        target.finalHidden(student.load()), source.finalHidden(parent.load()).gatheringColumns(hidden))
    }
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

extension HealingRun.Half {
  /// Runs a block of the parent over its stream.
  fileprivate mutating func advanceParent(_ block: Block, _ store: MatrixStore) throws {
    for (index, group) in groups.enumerated() {
      try Task.checkCancellation()
      parent[index] = try store.keep(block.forward(parent[index].load(), batch: group))
    }
  }
}
