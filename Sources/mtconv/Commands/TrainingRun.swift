internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

/// A training run from texts to the written model.
struct TrainingRun {
  let options: TrainingOptions
  let student: Checkpoint
  let teacher: Checkpoint?
  let settings: DistillationSettings

  func run(cache: TeacherCache.Content?) throws {
    try settings.validate()
    if !options.dryRun { try checkOutput() }
    let fileFormat = Checkpoint.FileFormat(outputPath: options.outputFile)
    try student.checkTrainable(fileFormat)
    try teacher?.checkTeaches(student)
    let data = try TrainingData(
      reading: TextInput(path: options.data, field: options.field), model: student, context: settings.context)
    let heldOut = try CalibrationSet(
      reading: TextInput(path: options.heldout, field: options.field), model: student, context: settings.context,
      limit: options.heldoutChunks)
    try check(data, heldOut)
    if options.dryRun {
      return try TrainingPlanReport(settings, data, student, teacher, options).print(asJSON: options.output.json)
    }
    warnOfVocabularies()
    try FileSystem.makeDirectory(options.workFolder)
    var work = Distiller.Work(folder: options.workFolder)
    work.saveInterval = options.saveEvery * 60
    work.cache = cache
    work.resumes = options.resume
    if options.resume, !FileSystem.exists(work.statePath) {
      Console.error("warning: no state was saved in '\(work.folder)', so the run begins anew")
    }
    let line = options.output.progress
    let distiller = try Distiller(
      student, from: teacher, plan: try Recipe(of: student)?.pruning, on: data, heldOut: heldOut, settings: settings,
      work: work, progress: line.handler)
    StopRequest.await()
    let outcome = try distiller.run(progress: { line.show(TrainingLine($0).text) }, isStopped: { StopRequest.isMade })
    line.finish()
    try finish(outcome, fileFormat, heldOut, data, line)
  }

  private func checkOutput() throws {
    let inputs = [student.path, teacher?.path, options.data, options.heldout]
    try FileError.refuseExisting(options.outputFile, from: inputs + [options.workFolder], unless: options.force)
    try FileError.refuseWork(options.workFolder, from: inputs)
  }

  /// Refuses texts that training would fail on later.
  private func check(_ data: TrainingData, _ heldOut: CalibrationSet) throws {
    if let teacher {
      try naming(options.data) { try teacher.checkTeacherTokens(data.rows.joined()) }
      try naming(options.heldout) { try teacher.checkTeacherTokens(heldOut.sequences) }
    }
    try naming(options.heldout) { try heldOut.checkScoredTokens() }
  }

  private func naming(_ path: String, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as CompressionError {
      throw CompressionError(error.code, "'\(path)': \(error.message)")
    }
  }

  private func finish(
    _ outcome: Distiller.Outcome, _ fileFormat: Checkpoint.FileFormat, _ heldOut: CalibrationSet, _ data: TrainingData,
    _ line: ProgressLine
  ) throws {
    if let divergence = outcome.divergence {
      guard outcome.weights != nil else { throw CompressionError(.diverged, divergence.message) }
      Console.error(
        "warning: \(divergence.message); the weights after step \(outcome.bestStep) are the best until then")
    }
    let report = TrainingReport(outcome, settings, options)
    if !outcome.isStopped, let weights = outcome.weights {
      var write = WriteOptions()
      write.overwrites = options.force
      write.progress = line.handler
      var recipe = Recipe(
        parent: student, output: fileFormat, elementFormat: student.defaultFormat(for: fileFormat))
      try recipe.seal(
        parent: student, overlay: weights, report: JSON(encoding: report), sources: sources(heldOut, data),
        progress: line.handler)
      try recipe.write(of: student, overlay: weights, to: options.outputFile, write)
      line.finish()
    }
    try report.print(asJSON: options.output.json)
    if outcome.isStopped { throw ExitStatus.interrupted }
    if outcome.weights == nil { throw ExitStatus.refused }
  }

  private func sources(_ heldOut: CalibrationSet, _ data: TrainingData) -> Recipe.Sources {
    var sources = Recipe.Sources()
    sources.texts["training"] = .init(
      path: options.data, context: data.context, sequences: data.rows.count, beginsSequences: true)
    sources.texts["held out"] = .init(
      path: options.heldout, context: settings.context, sequences: heldOut.sequences.count, beginsSequences: true)
    sources.command = CommandLine.arguments
    return sources
  }

  private func warnOfVocabularies() {
    guard let teacher else { return }
    let (own, all) = (student.hyperparameters.vocabularySize, teacher.hyperparameters.vocabularySize)
    guard own != all else { return }
    Console.error(
      "warning: the student has \(own) tokens and the teacher \(all); both are compared on the first \(min(own, all)), normalised again"
    )
  }
}

/// One line of a run: `step 120/600  loss 0.8123  held-out KL 0.7011, perplexity 31.20  198 tokens/s  41 min left`
struct TrainingLine {
  let text: String

  init(_ progress: TrainingProgress) {
    var parts = ["step \(progress.step)/\(progress.steps)", "loss \(NumberText.fixed(progress.loss, 4))"]
    let quality = progress.heldOut
    let divergence = quality.divergence.map { "KL \(NumberText.fixed($0, 4)), " } ?? ""
    parts.append("held-out \(divergence)perplexity \(NumberText.fixed(quality.perplexity.value, 2))")
    parts.append("\(NumberText.fixed(progress.tokensPerSecond, 0)) tokens/s")
    parts.append("\(NumberText.duration(progress.secondsLeft)) left")
    text = parts.joined(separator: "  ")
  }
}
