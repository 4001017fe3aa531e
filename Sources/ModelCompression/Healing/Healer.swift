internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute
internal import TensorFormats

/// Makes a pruned model better without training: its weights are fitted, layer by layer and in closed form, to what the parent did.
///
/// Parent and pruned model read the same text side by side, one block at a time. In every kept block the projections that write into
/// the residual stream are refitted by least squares, with a ridge toward the weights they had, so that the stream becomes what it was
/// in the parent at this place; the block before dropped layers aims at the stream behind them. Later blocks see the streams of the
/// blocks healed so far, and so correct what these could not. Part of the text is held out from the fits: it chooses the strength of the
/// ridge, and a fit that does not lower the error there is dropped.
///
/// The refit of the last projection before a cut contains the linear map of ReplaceMe (arXiv 2505.02819), which multiplies the same
/// weight. Memory: one block of both models and the sums over tokens of one weight, whatever the length of the text; and, unless there is a
/// folder for them, the activations of the text at one place and the refitted weights as F32.
public struct Healer: Sendable {
  /// How weights are fitted.
  public struct Settings: Sendable, Codable, Equatable {
    /// Strengths of the ridge to choose from, in multiples of the inputs' squares (`NormalEquations.solve`).
    public var ridges = [0.03, 0.1, 0.3, 1, 3]
    /// Every so manieth sequence is held out.
    public var heldOutEvery = 5
    /// How much of the error that earlier weights left in the residual stream a projection is asked to take back, from 0, its own part
    /// only, to 1.
    public var correction = 1.0
    /// Whether the projections behind norms are refitted, too: not only those that write into the stream.
    public var healsInputs = true

    public init() {}
  }

  public var settings: Settings
  public var progress: WorkProgress.Handler = { _ in }
  /// A folder whose disk, rather than memory, holds the refitted weights while the result or a part of it exists, and activations that are
  /// too many while it is made.
  public var scratchFolder: String?

  public init(_ settings: Settings = Settings()) { self.settings = settings }

  /// Fits the weights of what `plan` leaves of `parent`.
  ///
  /// - Parameter set: the text, at least two sequences; it should look like what the model is for, from all over a text rather than its
  ///   beginning (`CalibrationSet.spread(to:)`).
  /// - Throws: `CompressionError.notEnoughText` if nothing is left to hold out, what the plan and the forward pass throw, and
  ///   `CancellationError`.
  public func heal(_ parent: Checkpoint, plan: PruningPlan, on set: CalibrationSet) throws -> Healing {
    // New weights are rounded once, when they are written.
    let student = try parent.pruned(by: plan).unrounded
    try parent.checkTokens(set.sequences)
    let (fitted, heldOut) = try split(set)
    var run = try HealingRun(
      parent: parent, student: student, plan: plan, settings: settings, scratchFolder: scratchFolder, fitted: fitted,
      heldOut: heldOut)
    try run.heal { progress(WorkProgress(phase: "healing", completed: $0, total: $1, unit: .blocks)) }
    let overlay = try WeightOverlay(run.replaced, for: student, method: "healing", cutBy: plan)
    let report = HealingReport(
      settings: settings, tokens: set.tokenCount, heldOutTokens: heldOut.rows, steps: run.steps)
    return Healing(overlay: overlay, report: report)
  }

  private func split(_ set: CalibrationSet) throws -> (fitted: TokenBatch, heldOut: TokenBatch) {
    let every = max(2, min(settings.heldOutEvery, set.sequences.count))
    let heldOut = set.sequences.indices.filter { $0 % every == every - 1 }
    let fitted = set.sequences.indices.filter { $0 % every != every - 1 }
    guard !heldOut.isEmpty, !fitted.isEmpty else {
      throw CompressionError(
        .notEnoughText,
        "healing holds out part of the text: expected at least 2 sequences, found \(set.sequences.count)")
    }
    return (TokenBatch(fitted.map { set.sequences[$0] }), TokenBatch(heldOut.map { set.sequences[$0] }))
  }
}
