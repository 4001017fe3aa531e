internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute
internal import OrderedCollections
internal import TensorFormats

/// One forward and backward pass of the student, with what the teacher says to it.
final class TrainingPass {
  let weights: TrainableWeights
  let network: Network
  let gradients: Gradients
  /// Everything that is trained: weights, and what carries hidden states over.
  let parameters: [(key: ParameterKey, values: Matrix)]
  private let teacher: Teacher?
  private let data: TrainingData
  private let settings: DistillationSettings
  private let hiddenLoss: HiddenStateLoss?
  private let pairing: LayerPairing?
  private let cache: TeacherCache?

  /// Bytes that the activations of all blocks may take; above, blocks run twice.
  private static let traceLimit = 1 << 30

  init(
    _ student: Checkpoint, _ teacher: Teacher?, _ plan: PruningPlan?, _ data: TrainingData,
    _ settings: DistillationSettings, _ cache: TeacherCache? = nil
  ) throws {
    self.teacher = teacher
    self.data = data
    self.settings = settings
    let needsHidden = settings.hiddenLoss != nil || settings.blockWarmUpSteps > 0
    let pairing =
      try needsHidden ? teacher.map { try LayerPairing(student: student, teacher: $0.model, plan: plan) } : nil
    self.pairing = pairing
    hiddenLoss = settings.hiddenLoss.flatMap { kind in
      pairing.map { pairing in
        HiddenStateLoss(
          kind, layers: Array(pairing.depths.indices), studentWidth: student.hyperparameters.hiddenSize,
          teacherWidth: teacher!.model.hyperparameters.hiddenSize, channels: pairing.channels)
      }
    }
    let chosen = settings.trained.keys(of: student)
    let weights = try TrainableWeights(
      training: chosen.dense, adapting: chosen.adapted, by: settings.trained.adaptation, of: student)
    self.weights = weights
    if settings.startsAtRandom { weights.randomize(normOffset: student.architecture.normOffset, seed: settings.seed) }
    network = Network(
      architecture: student.architecture, hyperparameters: student.hyperparameters, weights: weights,
      idleBytes: Self.traceLimit)
    gradients = Gradients { weights.trains($0) }
    parameters = weights.parameters + (hiddenLoss?.projections ?? [])
    if cache != nil, needsHidden {
      throw CompressionError(
        .invalidSettings, "a kept teacher says nothing of hidden states; leave the cache or the loss on them")
    }
    self.cache = cache
  }

  /// Adds the gradients of a step; returns its loss, the mean over its tokens.
  func accumulate(step: Int, isWarmUp: Bool) throws -> Double {
    var loss = 0.0
    for index in 0..<settings.rowsPerStep {
      try Task.checkCancellation()
      let row = data.row(at: step * settings.rowsPerStep + index, seed: settings.seed)
      loss += isWarmUp ? try learnBlocks(row) : try learn(row)
    }
    return loss
  }

  private func learn(_ row: Int) throws -> Double {
    let batch = data.batch(row: row)
    let (loss, streams) = try logitLoss(row, batch)
    var hidden = 0.0
    let logitLoss = try network.accumulateGradients(
      of: loss, over: batch, into: gradients, keepingTraces: keepsTraces(batch),
      blockLoss: hiddenLoss.map { hiddenLoss in
        { [pairing, gradients] logitLoss, outputs in
          let depths = pairing!.depths
          let targets = Dictionary(uniqueKeysWithValues: hiddenLoss.layers.map { ($0, streams[depths[$0]]!) })
          // α = logit loss ÷ hidden loss, a constant to the gradient: both count the same (arXiv 2407.14679 §3).
          let result = hiddenLoss.differentiate(outputs, targets: targets, into: gradients) {
            logitLoss / max($0, 1e-12)
          }
          hidden = logitLoss
          return result.gradients
        }
      })
    return logitLoss + hidden
  }

  /// The loss on logits, and the teacher's residual streams that further losses ask for.
  private func logitLoss(_ row: Int, _ batch: TokenBatch) throws -> (any LogitLoss, [Int: Matrix]) {
    let share = 1 / Double(settings.rowsPerStep)
    let entropy = CrossEntropy(nextTokensOf: batch, weight: share)
    guard let teacher else { return (entropy, [:]) }
    var streams: [Int: Matrix] = [:]
    let source: LogitDivergence.Teacher
    if let cache {
      source = try cache.teacher(row: row, count: batch.rows, head: teacher.head.get()) {
        try teacher.states(of: batch).final
      }
    } else {
      let states = try teacher.states(of: batch, after: hiddenLoss == nil ? [] : Set(pairing!.depths))
      streams = states.streams
      source = .hidden(states.final, try teacher.head.get())
    }
    let mixed = settings.crossEntropy > 0 ? (weight: Float(settings.crossEntropy), loss: entropy) : nil
    let loss = LogitDivergence(
      settings.divergence, temperature: Float(settings.temperature), over: batch.rows * settings.rowsPerStep,
      from: source, mixing: mixed)
    return (loss, streams)
  }

  /// Each block alone learns to make of the teacher's stream what the teacher's blocks in its place make of it: the mean over blocks of
  /// the mean square error, as a share of the target's.
  private func learnBlocks(_ row: Int) throws -> Double {
    let batch = data.batch(row: row)
    let pairing = pairing!
    let streams = try teacher!.states(of: batch, after: Set(pairing.depths + pairing.inputDepths)).streams
    let count = pairing.depths.count
    var total = 0.0
    for layer in 0..<count {
      let input = streams[pairing.inputDepths[layer]]!.gathering(columns: pairing.channels)
      let target = streams[pairing.depths[layer]]!.gathering(columns: pairing.channels)
      total += try network.learn(
        block: layer, from: input, to: target, over: batch, weight: 1 / Double(count * settings.rowsPerStep),
        into: gradients)
    }
    return total
  }

  /// Whether the activations of all blocks fit.
  private func keepsTraces(_ batch: TokenBatch) -> Bool {
    let sizes = network.hyperparameters
    let attention = (sizes.queryHeadCount + sizes.keyValueHeadCount) * sizes.headDimension
    let values = 4 * sizes.hiddenSize + 3 * attention + 4 * sizes.intermediateSize
    return batch.rows * sizes.layerCount * values * 4 <= Self.traceLimit
  }
}

extension DistillationSettings {
  fileprivate var divergence: LogitDivergence.Kind {
    switch objective {
    case .forwardKL, .crossEntropy: .forwardKL
    case .reverseKL: .reverseKL
    case .jensenShannon: .jensenShannon(beta: Float(beta))
    }
  }
}

extension DistillationSettings.Trained {
  fileprivate var adaptation: TrainableWeights.Adaptation? {
    if case .lowRank(let adaptation) = self { adaptation } else { nil }
  }

  /// Weights that are trained themselves, and matrices that are adapted; both in the order of the weight table.
  fileprivate func keys(of student: Checkpoint) -> (dense: [WeightKey], adapted: [WeightKey]) {
    let keys = Array(student.weights.keys)
    switch self {
    case .all:
      return (keys, [])
    case .normsAndLast(let layers):
      let first = student.hyperparameters.layerCount - layers
      return (keys.filter { $0.role.isNorm || ($0.layer ?? -1) >= first }, [])
    case .lowRank:
      return (
        keys.filter(\.role.isNorm), keys.filter { $0.role.isLinear && $0.part == .weight && $0.layer != nil }
      )
    }
  }
}

extension DistillationSettings.Trained {
  /// Numbers that are trained of a model.
  public func parameterCount(of student: Checkpoint) -> Int {
    let (dense, adapted) = keys(of: student)
    func shape(_ key: WeightKey) -> [Int] { student.weights[key]!.shape }
    let own = dense.reduce(0) { $0 + shape($1).reduce(1, *) }
    return own
      + (adaptation.map { adaptation in adapted.reduce(0) { $0 + adaptation.rank * shape($1).reduce(0, +) } } ?? 0)
  }
}

extension WeightRole {
  fileprivate var isNorm: Bool { !isLinear && self != .embedding }
}

extension Matrix {
  /// Some columns, in this order; all if nil.
  fileprivate func gathering(columns kept: [Int]?) -> Matrix {
    guard let kept else { return self }
    let result = Matrix(rows: rows, columns: kept.count)
    for row in 0..<rows {
      let (source, target) = (self[row], result[row])
      for (index, column) in kept.enumerated() { target[index] = source[column] }
    }
    return result
  }
}
