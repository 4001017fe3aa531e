public import ModelCheckpoints
internal import ModelCompute

/// How long training takes on this machine, measured on a few steps whose result is forgotten.
public struct TrainingTime: Sendable, Equatable {
  public let secondsPerStep: Double
  /// Of a look at the held-out text.
  public let secondsPerLook: Double

  public init(secondsPerStep: Double, secondsPerLook: Double) {
    self.secondsPerStep = secondsPerStep
    self.secondsPerLook = secondsPerLook
  }

  /// Trains `student` for `steps` steps and one more before the clock runs.
  public init(
    of student: Checkpoint, from teacher: Checkpoint, plan: PruningPlan?, on data: TrainingData,
    heldOut set: CalibrationSet, settings: DistillationSettings, steps: Int = 2,
    progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    let teacher = Teacher(teacher)
    let pass = try TrainingPass(student, teacher, plan, data, settings)
    let heldOut = try HeldOut(set, teacher: teacher, progress: progress)
    let optimizer = AdamW(settings.optimizer)
    func step(_ index: Int) throws {
      pass.gradients.reset()
      _ = try pass.accumulate(step: index, isWarmUp: false)
      optimizer.update(pass.parameters, by: pass.gradients, learningRate: settings.minimumLearningRate, scale: 1)
      progress(WorkProgress(phase: "timing", completed: index, total: steps + 1, unit: .blocks))
    }
    try step(0)
    let clock = ContinuousClock()
    let all = try clock.measure { for index in 1...max(1, steps) { try step(index) } }
    let look = try clock.measure { _ = try heldOut.quality(of: pass.network) }
    self.init(secondsPerStep: all / .seconds(max(1, steps)), secondsPerLook: look / .seconds(1))
  }

  /// Seconds that a whole run takes.
  public func seconds(of settings: DistillationSettings) -> Double {
    let looks = 2 + (settings.steps - 1) / settings.evaluationInterval
    return Double(settings.steps) * secondsPerStep + Double(looks) * secondsPerLook
  }

  /// The steps of a run that takes about so many seconds, with the usual looks at the held-out text; at least one.
  public func steps(within seconds: Double) -> Int {
    let training = (seconds - 11 * secondsPerLook) / secondsPerStep
    return Int(exactly: training.rounded(.down)).map { max(1, $0) } ?? 1
  }
}
