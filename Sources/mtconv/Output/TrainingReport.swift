internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression

/// What came of a training run.
struct TrainingReport: Report {
  let output: String?
  let work: String
  let steps: Int
  let tokens: Int
  let skippedSteps: Int
  let isStopped: Bool
  let divergence: Distiller.Divergence?
  let before: HeldOutQuality
  let after: HeldOutQuality
  let bestStep: Int

  init(_ outcome: Distiller.Outcome, _ settings: DistillationSettings, _ options: TrainingOptions) {
    let isWritten = !outcome.isStopped && outcome.weights != nil
    output = isWritten ? options.outputFile : nil
    work = options.workFolder
    steps = outcome.steps
    tokens = outcome.tokens
    skippedSteps = outcome.skippedSteps
    isStopped = outcome.isStopped
    divergence = outcome.divergence
    before = outcome.start
    after = outcome.best
    bestStep = outcome.bestStep
  }

  var text: String {
    var table = TextTable([("held-out", .left), ("before", .right), ("best", .right)])
    if let a = before.divergence, let b = after.divergence {
      table.add(["KL(teacher ‖ student), nats", NumberText.fixed(a, 4), NumberText.fixed(b, 4)])
    }
    table.add([
      "perplexity", NumberText.fixed(before.perplexity.value, 3), NumberText.fixed(after.perplexity.value, 3),
    ])
    let skipped = skippedSteps > 0 ? ", \(skippedSteps) skipped for numbers that are not finite" : ""
    return "\(steps) steps, \(NumberText.count(tokens)) tokens\(skipped); best at step \(bestStep)\n\n"
      + table.text + "\n\n" + verdict
  }

  private var verdict: String {
    if isStopped { return "stopped; --resume goes on from \(work)" }
    if let output { return "written to \(output); log in \(work)" }
    return "no step was better than the start, so nothing is written; log in \(work)"
  }
}

/// What a run would do.
struct TrainingPlanReport: Report {
  let steps: Int
  let tokens: Int
  let rows: Int
  let epochs: Double
  let trainedParameters: Int
  /// Weights, gradients and moments as F32.
  let stateBytes: Int
  let settings: DistillationSettings

  init(
    _ settings: DistillationSettings, _ data: TrainingData, _ student: Checkpoint, _ teacher: Checkpoint?,
    _ options: TrainingOptions
  ) throws {
    self.settings = settings
    steps = settings.steps
    tokens = settings.steps * settings.tokensPerStep
    rows = data.rows.count
    epochs = Double(settings.steps * settings.rowsPerStep) / Double(data.rows.count)
    trainedParameters = settings.trained.parameterCount(of: student)
    stateBytes = trainedParameters * 16
  }

  var text: String {
    var table = TextTable([("", .left), ("", .right)])
    table.add(["steps", "\(steps)"])
    table.add(["tokens", NumberText.count(tokens)])
    table.add(["rows of text", "\(rows), read \(NumberText.fixed(epochs, 2)) times"])
    table.add(["trained parameters", NumberText.count(trainedParameters)])
    table.add(["weights, gradients, moments", NumberText.bytes(stateBytes)])
    return table.text
  }
}
