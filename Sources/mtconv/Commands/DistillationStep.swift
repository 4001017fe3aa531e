internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

/// The distillation of `compress`: what is left of a model learns from the whole of it.
struct DistillationStep {
  let student: Checkpoint
  let parent: Checkpoint
  let plan: PruningPlan
  let data: TrainingData
  let heldOut: CalibrationSet
  let options: DistillationOptions
  let progress: ProgressLine

  /// Files of a run in a folder of its own.
  static let names = [Distiller.Work.stateName, Distiller.Work.bestName, Distiller.Work.logName]

  init(
    _ student: Checkpoint, from parent: Checkpoint, plan: PruningPlan, data: TrainingData, heldOut: CalibrationSet,
    options: DistillationOptions, progress: ProgressLine
  ) throws {
    (self.student, self.parent, self.plan, self.data) = (student, parent, plan, data)
    (self.heldOut, self.options, self.progress) = (heldOut, options, progress)
    let bytes = Self.stateBytes(options.settings(context: data.context).trained, student)
    guard bytes < physicalMemory else {
      throw CompressionError(
        .invalidSettings,
        "training would hold \(NumberText.bytes(bytes)) of weights, gradients and moments, and this machine has"
          + " \(NumberText.bytes(physicalMemory)) of memory; --distill-train last:K or lora:RANK takes less")
    }
  }

  /// Weights, gradients and moments as F32.
  private static func stateBytes(_ trained: DistillationSettings.Trained, _ student: Checkpoint) -> Int {
    16 * trained.parameterCount(of: student)
  }

  /// How long a run is: as said, or as many steps as fit into the time here.
  func settings() throws -> DistillationSettings {
    var settings = options.settings(context: data.context)
    if let minutes = options.minutes { settings.setSteps(try time(settings).steps(within: 60 * minutes)) }
    try settings.validate()
    return settings
  }

  private func time(_ settings: DistillationSettings) throws -> TrainingTime {
    try TrainingTime(
      of: student, from: parent, plan: plan, on: data, heldOut: heldOut, settings: settings, progress: progress.handler)
  }

  /// What a run would take.
  func forecast() throws -> Forecast {
    var settings = options.settings(context: data.context)
    try settings.validate()
    let time = try time(settings)
    if let minutes = options.minutes { settings.setSteps(time.steps(within: 60 * minutes)) }
    return Forecast(
      tokens: settings.steps * settings.tokensPerStep, steps: settings.steps,
      epochs: Double(settings.steps * settings.rowsPerStep) / Double(data.rows.count),
      stateBytes: Self.stateBytes(settings.trained, student), seconds: time.seconds(of: settings))
  }

  struct Forecast: Encodable {
    let tokens: Int
    let steps: Int
    /// How often the text is read.
    let epochs: Double
    let stateBytes: Int
    let seconds: Double

    var text: String {
      "distillation: \(NumberText.count(tokens)) tokens in \(steps) steps, the text read"
        + " \(NumberText.fixed(epochs, 2)) times; about \(NumberText.duration(seconds)) on this machine, by the time of two"
        + " steps; \(NumberText.bytes(stateBytes)) of weights, gradients and moments"
    }
  }

  /// Trains in `folder`, and goes on with a run of the same `key` that was stopped there.
  /// - Throws: `ExitStatus.interrupted` if it is asked to stop; the run is saved then.
  func train(_ settings: DistillationSettings, in folder: CompressionWork, key: String) throws -> Distiller.Outcome {
    var work = Distiller.Work(folder: folder.path)
    work.resumes = folder.has(Distiller.Work.stateName, key: key)
    if !work.resumes {
      folder.remove(Self.names)
      try FileSystem.makeDirectory(folder.path)
      try folder.note(Distiller.Work.stateName, key: key)
    }
    let distiller = try Distiller(
      student, from: parent, plan: plan, on: data, heldOut: heldOut, settings: settings, work: work,
      progress: progress.handler)
    StopRequest.await()
    defer { StopRequest.ignore() }
    let outcome = try distiller.run(
      progress: { progress.show(TrainingLine($0).text) }, isStopped: { StopRequest.isMade })
    progress.finish()
    guard !outcome.isStopped, !StopRequest.isMade else {
      Console.error(
        "mtconv: stopped after step \(outcome.steps) of \(settings.steps); the same command goes on from it")
      throw ExitStatus.interrupted
    }
    return outcome
  }

  /// Whether a run was stopped in a folder.
  static func isUnfinished(in folder: CompressionWork) -> Bool {
    FileSystem.exists(folder.file(Distiller.Work.stateName))
  }

  /// Removes what is not needed once the weights are written elsewhere; the log stays.
  func clean(_ folder: CompressionWork) { folder.remove([Distiller.Work.stateName, Distiller.Work.bestName]) }
}
