internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute

/// Compares a written checkpoint with its parent, tensor by tensor and by forward pass.
///
/// Two verdicts. *Correctness*: the file holds what the recipe makes of the parent, so nothing was lost in writing. *Quality*: what
/// the recipe cost, against the parent itself.
public struct Verifier: Sendable {
  /// Logits of the file and of the plan in memory come from the same arithmetic on the same numbers.
  public static let defaultTolerance = 1e-10

  public var tolerance = Verifier.defaultTolerance
  public var maximumPerplexityRatio: Double?
  /// What of an engine's arithmetic; by default all that each model says. A cache that is asked for is the written model's only.
  public var emulation = Emulation.declared
  public var progress: WorkProgress.Handler = { _ in }

  public init() {}

  /// - Parameters:
  ///   - written: a checkpoint on disk, freshly opened.
  ///   - parent: what it was made from.
  ///   - recipe: how; nil takes the record in `written`, or compares with the parent as it is.
  ///   - overlay: the weights that the recipe put in. Without them they are held against their hashes in the recipe.
  public func verify(
    _ written: Checkpoint, against parent: Checkpoint, recipe: Recipe? = nil, overlay: WeightOverlay? = nil,
    on set: CalibrationSet
  ) throws -> VerificationReport {
    let recipe = try recipe ?? Recipe(of: written)
    try recipe?.check(parent: parent)
    if let overlay {
      guard let recipe else {
        throw CompressionError(.wrongOverlay, "the result has no recipe that new weights are part of")
      }
      try recipe.check(overlay: overlay)
    }
    let expectation = try Expectation(of: written, parent: parent, recipe: recipe, overlay: overlay)
    let expected = expectation.checkpoint
    try checkVocabulary(written, parent, set)
    try set.checkScoredTokens()
    let comparer = TensorComparer(reference: expected, other: written)
    let differences = try comparer.comparisons(progress: progress)
    let forward = try ForwardComparison(
      parent: parent, expected: expected, written: written, plan: recipe?.pruning, set: set,
      emulation: emulation, progress: progress)
    // The cost of each tensor is counted from the parent's values, in the places the plan gives them.
    let unquantized = try recipe?.pruning.map { try parent.pruned(by: $0).unrounded } ?? parent
    let costs = try TensorComparer(reference: unquantized, other: written).comparisons(progress: progress)
    return VerificationReport(
      correctness: VerificationReport.Correctness(
        reference: recipe == nil ? "the parent as it is" : "the recipe applied to the parent",
        normalizedError: forward.correctness, tolerance: tolerance, expectsEqualTensors: recipe != nil,
        unmatchedTensors: comparer.unmatched + (recipe == nil ? [] : comparer.unmatchedQuantization),
        differingTensors: try differences.filter { !$0.isExact }.map(\.name) + expectation.strangers
          + (recipe == nil ? [] : comparer.differingScales),
        differingSettings: try SettingsComparison(of: written, against: expected).differences,
        checks: expectation.checks),
      quality: VerificationReport.Quality(
        comparison: forward.quality, parentPerplexity: forward.parentPerplexity, perplexity: forward.perplexity,
        parentByteCount: parent.byteCount, byteCount: written.byteCount, parentParameterCount: parent.parameterCount,
        parameterCount: written.parameterCount, maximumPerplexityRatio: maximumPerplexityRatio),
      emulation: try EmulationSummary(of: written, emulation), layers: forward.layers, tensors: costs)
  }

  private func checkVocabulary(_ written: Checkpoint, _ parent: Checkpoint, _ set: CalibrationSet) throws {
    try parent.checkTokens(set.sequences)
    let (a, b) = (parent.hyperparameters.vocabularySize, written.hyperparameters.vocabularySize)
    guard a == b else {
      throw CompressionError(
        .wrongRecipe, "the models have vocabularies of \(a) and \(b) and cannot be compared by logits")
    }
  }
}
