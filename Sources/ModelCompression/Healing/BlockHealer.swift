internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompute
internal import OrderedCollections
internal import TensorFormats

/// Heals one block: walks its program and refits what can be refitted, each weight with all before it already healed.
struct BlockHealer {
  let run: HealingRun
  let layer: Int
  let parentLayer: Int
  var fitted: BlockPass
  var heldOut: BlockPass
  let targets: (fitted: BlockTargets, heldOut: BlockTargets)
  var ridges: RidgeSearch

  private(set) var replaced: [WeightKey: LazyTensor] = [:]
  private(set) var steps: [HealingStep] = []

  init(
    run: HealingRun, layer: Int, parentLayer: Int, block: Block, fitted: HealingRun.Half, heldOut: HealingRun.Half,
    targets: (fitted: BlockTargets, heldOut: BlockTargets)
  ) {
    self.run = run
    self.layer = layer
    self.parentLayer = parentLayer
    self.fitted = BlockPass(block, fitted.student, groups: fitted.groups, store: run.store)
    self.heldOut = BlockPass(block, heldOut.student, groups: heldOut.groups, store: run.store)
    self.targets = targets
    ridges = run.ridges
  }

  /// - Returns: the streams of the pruned model behind the healed block.
  mutating func heal() throws -> (fitted: [StoredMatrix], heldOut: [StoredMatrix]) {
    let terms = Dictionary(uniqueKeysWithValues: ResidualTerm.all(in: fitted.steps).map { ($0.index, $0) })
    for index in fitted.steps.indices {
      if let term = terms[index] {
        try advance(to: index)
        try apply(OutputRefit(run, layer: layer, term))
      } else if let norm = fitted.steps[index].hiddenNorm {
        try heal(norm, at: index)
      }
    }
    return (try fitted.finish(), try heldOut.finish())
  }

  private mutating func heal(_ norm: NormStep, at index: Int) throws {
    if run.hidden != nil {
      try advance(to: index)
      try rescale(norm)
    }
    if norm.isInput, run.settings.healsInputs {
      try advance(to: index + 1)
      try apply(InputRefit(self, at: norm.output))
    }
  }

  private mutating func advance(to step: Int) throws {
    try fitted.advance(to: step)
    try heldOut.advance(to: step)
  }

  mutating func replace(_ key: WeightKey, with values: Matrix) throws {
    fitted.replace(key, with: values)
    heldOut.replace(key, with: values)
    replaced[key] = try run.weights.keep(values, shape: run.student.weights[key]!.shape)
  }

  mutating func record(_ step: HealingStep) { steps.append(step) }

  func names(_ keys: [WeightKey]) -> [String] { keys.map { run.student.huggingFaceName(of: $0) } }
}
