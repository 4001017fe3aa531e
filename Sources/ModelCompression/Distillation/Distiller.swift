internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

/// Trains a student to say what its teacher says (Minitron, arXiv 2407.14679 §3), or what a text says.
///
/// Everything of a run lies in its work folder: `state.safetensors`, from which a stopped run goes on bit by bit; `best.safetensors`, the
/// weights that did best on the held-out text; `log.jsonl`, a line for every step and every look at the held-out text; and what the
/// teacher said, if it is kept.
public final class Distiller {
  /// What came of a run.
  public struct Outcome: Sendable {
    public let steps: Int
    public let tokens: Int
    public let skippedSteps: Int
    /// Held-out quality before the first step.
    public let start: HeldOutQuality
    public let best: HeldOutQuality
    public let bestStep: Int
    /// Whether the run was asked to stop before its end.
    public let isStopped: Bool
    /// Why the run ended before its last step; nil if it did not.
    public let divergence: Divergence?
    /// The best weights; nil if none was better than the start.
    public let weights: WeightOverlay?
  }

  /// Too many steps whose numbers were not finite, for a run to go on.
  public struct Divergence: Sendable, Codable, Equatable {
    public let steps: Int
    public let skippedSteps: Int

    /// A step now and then may overflow; a run that does nothing else has diverged.
    fileprivate init?(_ state: DistillationState) {
      guard state.skipped > max(3, state.step / 10) else { return nil }
      (steps, skippedSteps) = (state.step, state.skipped)
    }

    public var message: String {
      "training diverged: \(skippedSteps) of \(steps) steps gave no finite gradient; lower the learning rate"
    }
  }

  /// Where a run keeps its files, and what it is asked to keep.
  public struct Work: Sendable {
    public var folder: String
    /// Seconds between two writes of the state.
    public var saveInterval = 600.0
    public var cache: TeacherCache.Content?
    /// Go on with the run whose state lies in the folder; without one, the run begins anew.
    public var resumes = false

    public init(folder: String) { self.folder = folder }

    /// From which a stopped run goes on.
    public static let stateName = "state.safetensors"
    /// The weights that did best.
    public static let bestName = "best.safetensors"
    public static let logName = "log.jsonl"

    public var statePath: String { FileSystem.join(folder, Self.stateName) }
  }

  private let student: Checkpoint
  private let settings: DistillationSettings
  private let work: Work
  private let pass: TrainingPass
  private let heldOut: HeldOut
  private let optimizer: AdamW
  private var state: DistillationState
  private let log: TrainingLog

  /// Opens or resumes a run.
  ///
  /// - Parameters:
  ///   - plan: how the student was cut from the teacher, for losses on hidden states.
  /// - Throws: `CompressionError.wrongState` if the folder holds the state of another run.
  public init(
    _ student: Checkpoint, from teacher: Checkpoint?, plan: PruningPlan? = nil, on data: TrainingData,
    heldOut set: CalibrationSet, settings: DistillationSettings, work: Work,
    progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    try settings.validate()
    guard (teacher != nil) == settings.needsTeacher else {
      throw CompressionError(
        .invalidSettings,
        "\(settings.objective.rawValue) \(settings.needsTeacher ? "needs a teacher" : "takes no teacher")")
    }
    self.student = student
    self.settings = settings
    self.work = work
    let teacher = teacher.map { Teacher($0) }
    let teacherHash = try teacher?.model.contentHash(progress: progress)
    let cache = try teacherHash.flatMap { hash in
      try work.cache.map { try TeacherCache($0, of: hash, on: data, in: work.folder) }
    }
    pass = try TrainingPass(student, teacher, plan, data, settings, cache)
    heldOut = try HeldOut(set, teacher: teacher, progress: progress)
    let identity = DistillationState.Identity(
      settings: settings, student: Recipe.Parent(student, contentHash: try student.contentHash(progress: progress)),
      teacher: teacher.map { Recipe.Parent($0.model, contentHash: teacherHash) }, data: data.fingerprint,
      heldOut: set.contentHash)
    let path = work.statePath
    let resumes = work.resumes && FileSystem.exists(path)
    if resumes {
      let file = try SafetensorsFile(path: path)
      state = try DistillationState(file: file, path: path)
      guard state.identity == identity else {
        throw try CompressionError(
          .wrongState,
          "'\(path)' is of another run: \(state.identity.difference(from: identity)); start anew or give the same")
      }
      optimizer = AdamW(
        settings.optimizer, step: state.updates, moments: try state.restore(pass.parameters, from: file))
    } else {
      guard !FileSystem.exists(path) else {
        throw CompressionError(.wrongState, "'\(path)' holds a run already; resume it, or give another folder")
      }
      optimizer = AdamW(settings.optimizer)
      state = DistillationState(identity: identity, start: try heldOut.quality(of: pass.network))
    }
    log = try TrainingLog(
      path: FileSystem.join(work.folder, Work.logName), keepingSteps: resumes ? state.step : nil)
    if !resumes { try log.add(.heldOut(step: 0, state.start)) }
  }

  /// Trains to the end, until `isStopped` says so, or until it diverges; the state is saved in any case.
  public func run(
    progress: (TrainingProgress) -> Void = { _ in }, isStopped: () -> Bool = { false }
  ) throws -> Outcome {
    let clock = ContinuousClock()
    var saved = clock.now
    var timer = TrainingTimer(stepsDone: state.step)
    while state.step < settings.steps, Divergence(state) == nil, !isStopped() {
      let result = try step()
      let evaluation = try evaluateIfDue()
      let rate = timer.add(tokens: settings.tokensPerStep, steps: 1)
      try log.add(.step(state.step, result, tokensPerSecond: rate))
      progress(
        TrainingProgress(
          step: state.step, steps: settings.steps, loss: result.loss, tokensPerSecond: rate,
          secondsLeft: timer.secondsLeft(settings.steps - state.step), heldOut: evaluation ?? state.best.quality))
      if (clock.now - saved) / .seconds(1) > work.saveInterval {
        try save()
        saved = clock.now
      }
    }
    try save()
    return try outcome()
  }

  // MARK: Steps

  private func step() throws -> StepResult {
    let isWarmUp = state.step < settings.blockWarmUpSteps
    let gradients = pass.gradients
    gradients.reset()
    let loss = try pass.accumulate(step: state.step, isWarmUp: isWarmUp)
    let norm = gradients.norm
    let rate = settings.learningRate(at: state.step)
    state.step += 1
    guard loss.isFinite, norm.isFinite else {
      state.skipped += 1
      return StepResult(loss: loss, gradientNorm: norm, learningRate: rate, isSkipped: true)
    }
    optimizer.update(
      pass.parameters, by: gradients, learningRate: rate, scale: min(1, settings.clippingNorm / max(norm, 1e-12)))
    state.updates += 1
    return StepResult(loss: loss, gradientNorm: norm, learningRate: rate, isSkipped: false)
  }

  private func evaluateIfDue() throws -> HeldOutQuality? {
    guard state.step.isMultiple(of: settings.evaluationInterval) || state.step == settings.steps else { return nil }
    let quality = try heldOut.quality(of: pass.network)
    try log.add(.heldOut(step: state.step, quality))
    if quality.score < state.best.quality.score {
      try overlay().write(to: FileSystem.join(work.folder, Work.bestName), overwrite: true)
      state.best = .init(step: state.step, quality: quality)
    }
    return quality
  }

  private func overlay() throws -> WeightOverlay {
    let weights = try Dictionary(
      uniqueKeysWithValues: pass.weights.results.map { key, values in
        (key, LazyTensor(values, shape: try student.shape(of: key)))
      })
    return try WeightOverlay(weights, for: student, method: settings.needsTeacher ? "distillation" : "finetuning")
  }

  private func save() throws {
    try state.write(to: FileSystem.join(work.folder, Work.stateName), pass.parameters, optimizer)
  }

  private func outcome() throws -> Outcome {
    let isBetter = state.best.step > 0
    let divergence = Divergence(state)
    return Outcome(
      steps: state.step, tokens: state.step * settings.tokensPerStep, skippedSteps: state.skipped, start: state.start,
      best: state.best.quality, bestStep: state.best.step,
      isStopped: state.step < settings.steps && divergence == nil, divergence: divergence,
      weights: isBetter ? try WeightOverlay(path: FileSystem.join(work.folder, Work.bestName), for: student) : nil)
  }
}

/// What one step did.
struct StepResult: Codable {
  let loss: Double
  let gradientNorm: Double
  let learningRate: Double
  let isSkipped: Bool
}

/// Where a run is, for somebody who watches.
public struct TrainingProgress: Sendable {
  public let step: Int
  public let steps: Int
  public let loss: Double
  public let tokensPerSecond: Double
  public let secondsLeft: Double
  /// The latest held-out quality, or the best if none is newer.
  public let heldOut: HeldOutQuality
}

/// Speed over the last steps, looks at the held-out text included.
private struct TrainingTimer {
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var steps = 0
  private var tokens = 0

  init(stepsDone: Int) { start = clock.now }

  mutating func add(tokens count: Int, steps more: Int) -> Double {
    tokens += count
    steps += more
    return Double(tokens) / max(1e-9, (clock.now - start) / .seconds(1))
  }

  func secondsLeft(_ count: Int) -> Double {
    (clock.now - start) / .seconds(1) / Double(max(1, steps)) * Double(count)
  }
}
