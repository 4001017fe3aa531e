internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

/// What a report can be made of. Whatever was not made yet is nil or empty.
struct ReportInput {
  var name: String
  var recipe: Recipe?
  var statistics: StatisticsFile?
  var plan: PruningPlan?
  var depth: DepthComparison?
  var candidates: CandidateList?
  var healing: HealingRecord?
  var verification: VerificationRecord?
  /// Of compress, from the parent to what was written.
  var stages: [Stage] = []
  var evaluations: [EvaluationRecord] = []
  var training: [TrainingRecord] = []
  var heads: HeadShape?

  /// Sizes that tell the heads of a layer apart.
  struct HeadShape: Equatable {
    var headDimension: Int
    /// Nil if it is not known how heads share keys and values.
    var keyValueHeadCount: Int?
  }

  /// The plan given, or that of the recipe.
  var pruning: PruningPlan? { plan ?? recipe?.pruning }
  var droppedLayers: Set<Int> { Set(pruning?.droppedLayers ?? []) }
  var layerCount: Int? { statistics?.settings.model.layerCount ?? pruning?.parentLayerCount }

  /// Throws if the statistics are of another model than the plan.
  func check() throws {
    guard let statistics, let pruning else { return }
    let (measured, planned) = (statistics.settings.model.layerCount, pruning.parentLayerCount)
    guard measured == planned else {
      throw CompressionError(
        .wrongStatistics, "the statistics are of a model of \(measured) layers, the plan is for one of \(planned)")
    }
  }
}

/// `candidates.json`, as `plan --candidates` writes it.
struct CandidateList: Decodable {
  var goal: String?
  var context: Int?
  var candidates: [PlanCandidate]
}

/// `healing.json`.
struct HealingRecord: Decodable {
  struct Step: Decodable {
    let kind: String
    let layer: Int?
    let parentLayer: Int?
    let errorBefore: Double?
    let errorAfter: Double?
    let isKept: Bool
    let reason: String?
  }

  let tokens: Int?
  let heldOutTokens: Int?
  let steps: [Step]
}

/// What `verify --json` and `compress --json` say.
struct VerificationRecord: Decodable {
  struct Correctness: Decodable {
    let passes: Bool
    let reference: String
    let normalizedError: Double?
  }

  struct Score: Decodable {
    let value: Double?
    let standardError: Double?
  }

  struct Comparison: Decodable {
    let divergence: Double?
    let topAgreement: Double?
    let tokenCount: Int
  }

  struct Quality: Decodable {
    let comparison: Comparison
    let perplexityRatio: Double?
    let parentPerplexity: Score
    let perplexity: Score
    let parentByteCount: Int
    let byteCount: Int
    let parentParameterCount: Int
    let parameterCount: Int
  }

  struct Layer: Decodable {
    let layer: Int?
    let parentLayer: Int?
    let cosine: Double?
  }

  struct Tensor: Decodable {
    let name: String
    let maximumError: Double?
    let relativeError: Double?
    let signalToNoise: Double?
    let cosine: Double?

    var isExact: Bool { maximumError == 0 }
  }

  let passes: Bool
  let correctness: Correctness
  let quality: Quality
  let layers: [Layer]?
  let tensors: [Tensor]
}

/// What `eval --json` says.
struct EvaluationRecord: Decodable {
  struct Other: Decodable {
    let model: String
    let score: TaskScore
    let comparison: TaskComparison
  }

  let model: String
  let data: String
  let score: TaskScore
  let compared: Other?
}

/// A line of the log of a distillation: a step, or a look at the held-out text.
struct TrainingRecord: Decodable {
  struct HeldOut: Decodable {
    let divergence: Double?
    let perplexity: VerificationRecord.Score
  }

  let step: Int
  let loss: Double?
  let heldOut: HeldOut?
}
