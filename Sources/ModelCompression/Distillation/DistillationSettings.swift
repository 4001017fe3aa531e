public import ModelCompute

/// How a student is trained. Saved with the state of a run, which goes on only under the same settings.
public struct DistillationSettings: Sendable, Codable, Equatable {
  /// What the student is held against, token by token.
  public enum Objective: String, Sendable, Codable, CaseIterable {
    case forwardKL, reverseKL, jensenShannon
    /// The next token of the text alone; no teacher.
    case crossEntropy
  }

  /// Which weights are trained.
  public enum Trained: Sendable, Equatable {
    case all
    /// All norms, and everything in the last layers.
    case normsAndLast(layers: Int)
    /// Low-rank adaptation of every linear weight of the blocks, and all norms.
    case lowRank(TrainableWeights.Adaptation)
  }

  public var objective = Objective.forwardKL
  /// Softens both distributions; 1 is what Minitron found best.
  public var temperature = 1.0
  /// The weight of the teacher in the mixture of Jensen and Shannon.
  public var beta = 0.5
  /// The share of cross-entropy in the loss.
  public var crossEntropy = 0.0
  /// A loss on the residual stream besides, weighted so that it counts as much as the one on logits.
  public var hiddenLoss: HiddenStateLoss.Kind?
  /// Steps at first in which every block learns by itself to do what the teacher's blocks in its place do.
  public var blockWarmUpSteps = 0

  public var trained = Trained.all
  /// Whether the student's weights are forgotten and random ones taken in their place: the comparison that shows what pruning saved.
  public var startsAtRandom = false
  public var learningRate = 1e-4
  public var minimumLearningRate = 1e-5
  public var warmUpSteps = 10
  public var optimizer = AdamW.Settings()
  /// Gradients are scaled down to this norm.
  public var clippingNorm = 1.0
  /// Rows of `context` tokens in a step.
  public var rowsPerStep = 1
  public var context = 512
  public var steps = 100
  /// Of the order of rows.
  public var seed: UInt64 = 1
  /// Steps between two looks at the held-out text.
  public var evaluationInterval = 20

  /// Rows in a step at most.
  public static let rowLimit = 1 << 20
  /// The largest rank of an adaptation.
  public static let rankLimit = 1 << 16

  public init() {}

  /// Settings for a run over so many tokens. What depends on how long it is follows: warm-up in a twentieth of the steps, at most 40; a
  /// tenth of the learning rate in the end; ten looks at the held-out text.
  public init(tokens: Int, context: Int, rowsPerStep: Int = 1, learningRate: Double = 1e-4) {
    self.context = context
    self.rowsPerStep = rowsPerStep
    self.learningRate = learningRate
    minimumLearningRate = learningRate / 10
    let (whole, rest) = tokens.quotientAndRemainder(dividingBy: max(1, tokensPerStep))
    setSteps(max(1, rest > 0 ? whole + 1 : whole))
  }

  /// Changes the length of the run, and what follows from it.
  public mutating func setSteps(_ count: Int) {
    steps = count
    warmUpSteps = min(40, count / 20)
    evaluationInterval = max(1, count / 10)
  }

  public var needsTeacher: Bool { objective != .crossEntropy }
  /// At most `Int.max`, which no run has.
  public var tokensPerStep: Int {
    let (count, overflow) = rowsPerStep.multipliedReportingOverflow(by: context)
    return overflow ? .max : count
  }

  /// Linear warm-up, then half a cosine down to the minimum (Loshchilov and Hutter, arXiv 1608.03983). Steps count from 0.
  public func learningRate(at step: Int) -> Double {
    if step < warmUpSteps { return learningRate * Double(step + 1) / Double(warmUpSteps) }
    let span = max(1, steps - warmUpSteps)
    let share = min(1, Double(step - warmUpSteps) / Double(span))
    return minimumLearningRate + (learningRate - minimumLearningRate) * 0.5 * (1 + cosine(share))
  }

  /// - Throws: `CompressionError.invalidSettings` for a number that means nothing.
  public func validate() throws {
    func check(_ isRight: Bool, _ message: @autoclosure () -> String) throws {
      guard isRight else { throw CompressionError(.invalidSettings, message()) }
    }
    func isPositive(_ number: Double) -> Bool { number > 0 && number.isFinite }
    try check(isPositive(temperature), "the temperature is \(temperature), expected more than 0")
    try check(beta > 0 && beta < 1, "beta is \(beta), expected between 0 and 1")
    try check((0...1).contains(crossEntropy), "the share of cross-entropy is \(crossEntropy), expected 0 to 1")
    try check(
      isPositive(learningRate) && minimumLearningRate >= 0 && minimumLearningRate <= learningRate,
      "the learning rate goes from \(learningRate) to \(minimumLearningRate), expected down and not below 0")
    try check(isPositive(clippingNorm), "the clipping norm is \(clippingNorm), expected more than 0")
    let decay = optimizer.weightDecay
    try check(decay >= 0 && decay.isFinite, "the weight decay is \(decay), expected at least 0")
    try check(
      rowsPerStep > 0 && context > 1 && steps > 0 && evaluationInterval > 0,
      "rows in a step, steps, context and interval must be positive")
    try check(rowsPerStep <= Self.rowLimit, "a step has \(rowsPerStep) rows, expected at most \(Self.rowLimit)")
    try check(
      !steps.multipliedReportingOverflow(by: tokensPerStep).overflow,
      "\(steps) steps of \(rowsPerStep) rows of \(context) tokens are more than can be counted")
    try check(
      warmUpSteps >= 0 && blockWarmUpSteps >= 0 && blockWarmUpSteps < steps,
      "the block warm-up takes \(blockWarmUpSteps) of \(steps) steps, expected fewer")
    try check(!startsAtRandom || trained == .all, "random weights must all be trained")
    if case .lowRank(let adaptation) = trained {
      try check(adaptation.rank > 0, "the rank is \(adaptation.rank), expected at least 1")
      try check(adaptation.rank <= Self.rankLimit, "the rank is \(adaptation.rank), expected at most \(Self.rankLimit)")
    }
  }
}

extension DistillationSettings.Trained: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable { case lastLayers, lowRank }

  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let layers = try container.decodeIfPresent(Int.self, forKey: .lastLayers) {
      self = .normsAndLast(layers: layers)
    } else if let adaptation = try container.decodeIfPresent(TrainableWeights.Adaptation.self, forKey: .lowRank) {
      self = .lowRank(adaptation)
    } else {
      self = .all
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .all: break
    case .normsAndLast(let layers): try container.encode(layers, forKey: .lastLayers)
    case .lowRank(let adaptation): try container.encode(adaptation, forKey: .lowRank)
    }
  }
}
