public import TensorFormats

/// What distilling a pruned model did: written as `distillation.json`.
public struct DistillationReport: Sendable, Codable, Equatable {
  public var tool = "mtconv \(Recipe.version)"
  public var settings: DistillationSettings
  /// Tokens that were trained on, counted as often as they were read.
  public var tokens: Int
  /// Steps that changed nothing because their numbers were not finite.
  public var skippedSteps: Int
  /// Why training ended before its last step; nil if it did not.
  public var divergence: Distiller.Divergence?
  /// Threads that the numbers depend on: the same run gives the same bits on the same kind of processor with as many.
  public var threads: Int
  /// The student before the first step, and at its best, on the held-out text.
  public var start: HeldOutQuality
  public var best: HeldOutQuality
  public var bestStep: Int

  public init(_ outcome: Distiller.Outcome, settings: DistillationSettings) {
    self.settings = settings
    tokens = outcome.tokens
    skippedSteps = outcome.skippedSteps
    divergence = outcome.divergence
    threads = processorCount
    start = outcome.start
    best = outcome.best
    bestStep = outcome.bestStep
  }

  /// Whether training made the student better; if not, its weights are not used.
  public var isUsed: Bool { bestStep > 0 }

  /// What a recipe keeps of it: enough to train again.
  public var summary: JSON {
    get throws { try JSON(encoding: self) }
  }
}
