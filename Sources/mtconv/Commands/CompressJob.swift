internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import OrderedCollections
internal import TensorFormats

/// The steps of `compress`: each takes what an earlier run left in the work folder, if it was made from the same things.
final class CompressJob {
  let options: CompressCommand
  let model: Checkpoint
  let progress: ProgressLine
  let compressor: Compressor
  var sequences: TextOptions
  var steps: [CompressReport.Step] = []
  var sources = Recipe.Sources()
  private(set) lazy var work = Result { try CompressionWork(path: workPath) }
  private(set) lazy var calibrationSet = Result { try makeCalibrationSet() }
  private lazy var modelHash = Result { try model.contentHash(progress: progress.handler) }

  static let statistics = "stats.safetensors"
  static let plan = "plan.json"
  static let healed = "healed.safetensors"
  static let healing = "healing.json"
  static let distilled = "distilled.safetensors"
  static let distillation = "distillation.json"
  /// Settings of a distillation whose length was timed.
  static let timed = "distillation-settings.json"
  /// A folder in the work folder.
  static let training = "distillation"
  private static let output = "output"
  private static let verification = "verification.json"
  private static let stages = "stages.json"
  /// What `report` shows, and is left in the end.
  private static let shown = [statistics, plan, healing, distillation, verification, stages, CarriedFile.recipeName]

  init(_ options: CompressCommand, _ model: Checkpoint, _ progress: ProgressLine) throws {
    (self.options, self.model, self.progress) = (options, model, progress)
    sequences = options.sequences
    sequences.context = sequences.length(for: model)
    var compressor = Compressor(Self.request(options, model))
    compressor.progress = progress.handler
    self.compressor = compressor
    sources.command = CommandLine.arguments
    if let path = options.calibration { note(path, as: "calibration", calibrationLimit, calibrationSample) }
    if let path = options.heldout { note(path, as: "held out", options.heldoutChunks) }
    if !options.dryRun { try refuseOutput() }
    try FileError.refuseWork(workPath, from: inputs)
    if options.distillation.isWanted { try refuseTrainingOnHeldOut() }
    // Before anything is measured for it.
    let layers = model.hyperparameters.layerCount
    if let kept = options.sizes.target(model.hyperparameters).layers, !(1...layers).contains(kept) {
      throw CompressionError(.invalidPlan, "cannot keep \(kept) of \(layers) layers")
    }
  }

  /// A dry run has a folder of its own, so that it replaces nothing of a run that was made.
  var workPath: String {
    options.work ?? FileSystem.withoutSlashes(options.out) + (options.dryRun ? ".dry-run" : ".work")
  }

  private var inputs: [String?] {
    [
      options.input, options.plan, options.stats, options.calibration, options.heldout, options.distillation.data,
      options.search.taskData,
    ]
  }

  /// An output that is there is refused, unless an earlier run of this work wrote it and was stopped before it was verified.
  private func refuseOutput() throws {
    let isOurs = FileSystem.exists(FileSystem.join(workPath, Self.output + ".key"))
    try FileError.refuseExisting(options.out, from: inputs + [workPath], unless: options.force || isOurs)
    // Statistics that are not there yet are an output, too.
    if let path = options.stats, !FileSystem.exists(path) { try FileError.refuseExisting(files: path, unless: false) }
  }

  private func refuseTrainingOnHeldOut() throws {
    guard let heldOut = options.heldout, let training = options.distillation.data ?? options.calibration,
      try ContentHash(ofFile: heldOut) == ContentHash(ofFile: training)
    else { return }
    throw CompressionError(
      .notEnoughText,
      "'\(heldOut)' is the text that is trained on: --heldout needs another, to see what training is worth")
  }

  private static func request(_ options: CompressCommand, _ model: Checkpoint) -> Compressor.Request {
    var request = Compressor.Request()
    request.output = Checkpoint.FileFormat(outputPath: options.out)
    // Codes of an FP8 model stay as they are, unless something else is asked for.
    let keepsCodes = !options.fp8 && model.weights.values.contains { $0.scale != nil }
    let usual = request.output == .gguf ? model.defaultFormat(for: .gguf) : keepsCodes ? nil : .bf16
    request.elementFormat = options.dtype?.elementFormat ?? usual
    if options.fp8 { request.quantization = QuantizationScheme(rounding: options.rounding) }
    if let size = options.maxShardSize { request.write.maximumShardSize = size.count }
    request.write.overwrites = options.force
    return request
  }

  // MARK: Runs

  func dryRun() throws -> CompressReport {
    let recipe = try recipe()
    let result = try recipe.applied(to: model)
    let forecast = try options.distillation.isWanted ? distillationStep(of: recipe, healing: nil).forecast() : nil
    let sizes = CompressReport.Sizes(
      parentParameters: model.parameterCount, parameters: result.parameterCount, parentBytes: model.byteCount,
      bytes: try result.byteCount(as: recipe.output))
    if options.work == nil, FileSystem.exists(workPath) { try work.get().remove(Self.shown) }
    var report = CompressReport(recipe: recipe, steps: steps, sizes: sizes, verification: nil)
    report.forecast = forecast
    return report
  }

  func run() throws -> CompressReport {
    var recipe = try recipe()
    recipe.parent.contentHash = try modelHash.get()
    try recipe.pruning?.validate(for: model, contentHash: recipe.parent.contentHash)
    // What an earlier run came to is not what this one comes to.
    try work.get().remove([Self.verification, Self.stages, CarriedFile.recipeName], keepingFolder: true)
    let weights = try newWeights(for: recipe)
    let (heldOut, text) = try heldOutSet()
    try recipe.seal(
      parent: model, overlay: weights.overlay, report: weights.record, sources: sources, progress: progress.handler)
    let isWritten = try isWritten(recipe)
    let work = try work.get()
    try work.note(Self.output, key: JSON(encoding: recipe).serialized())
    let stages = try stages(of: recipe, weights, heldOut)
    let result = try compressor.write(
      recipe, of: model, overlay: weights.overlay, to: options.out, heldOut: heldOut, text: text,
      verifier: options.limits.verifier, isWritten: isWritten)
    var report = CompressReport(
      recipe: result.recipe, steps: steps, sizes: nil, healing: weights.healing,
      verification: VerifyReport(report: result.report, isRandom: text == nil))
    report.distillation = weights.distillation
    if !stages.isEmpty { report.stages = Stage.all(stages, result) }
    try finishWork(report)
    return report
  }

  /// Whether the output is what this recipe wrote before it was stopped.
  private func isWritten(_ recipe: Recipe) throws -> Bool {
    guard FileSystem.exists(options.out), !options.force else { return false }
    guard let written = try? Checkpoint(path: options.out), var found = try? Recipe(of: written) else {
      throw FileError(.exists, "'\(options.out)' already exists; --force replaces it")
    }
    // Another way to say the same is no other output.
    found.provenance?.command = recipe.provenance?.command ?? []
    guard found == recipe else { throw FileError(.exists, "'\(options.out)' already exists; --force replaces it") }
    steps.append(CompressReport.Step(name: "output", file: options.out, isReused: true))
    return true
  }

  /// Leaves what `report` shows. Weights and states stay only in a folder that somebody asked for, or if verification says no.
  private func finishWork(_ report: CompressReport) throws {
    let work = try work.get()
    guard let verification = report.verification else { return }
    try Self.write(JSON(encoding: verification), to: work.file(Self.verification))
    try Self.write(JSON(encoding: report.recipe), to: work.file(CarriedFile.recipeName))
    if !report.stages.isEmpty { try Self.write(JSON(encoding: report.stages), to: work.file(Self.stages)) }
    if options.work == nil, verification.report.passes {
      work.forget(Self.shown)
      work.remove([Self.healed, Self.distilled, Self.timed])
    }
    // The output is verified: another run may not take it for an unfinished one.
    work.remove([Self.output])
  }

  /// Removes a folder of our own in which nothing was left to go on from.
  func abandon() {
    if options.work == nil, FileSystem.exists(workPath) { try? work.get().remove([]) }
  }

  // MARK: Steps

  private func recipe() throws -> Recipe {
    var working = compressor
    working.request.pruning = try pruning()
    if let plan = working.request.pruning, compressor.request.output == .huggingFace,
      let obstacle = try model.pruned(by: plan).huggingFaceObstacle
    {
      Console.error("warning: \(obstacle)")
    }
    let recipe = try working.plan(for: model, calibration: CalibrationSet(sequences: []))
    let warnings = try recipe.applied(to: model).warnings
    for warning in warnings.dropFirst(model.warnings.count) { Console.error("warning: \(warning)") }
    return recipe
  }

  private func pruning() throws -> PruningPlan? {
    if let path = options.plan {
      sources.plan = path
      return try PruningPlan(parsing: FileSystem.read(path), name: path)
    }
    guard options.plansItself else { return nil }
    let (statistics, key) = try statistics()
    let plan = try step("plan", Self.plan, key: planKey(key)) { path in
      try PruningPlan(parsing: FileSystem.read(path), name: path)
    } make: { path in
      let plan = try makePlan(statistics)
      try Self.write(JSON(encoding: plan), to: path)
      return plan
    }
    sources.plan = try work.get().file(Self.plan)
    return plan.droppedLayers.isEmpty && plan.keptIndices.isEmpty ? nil : plan
  }

  /// What sizes are counted in.
  private var format: OutputFormat {
    let request = compressor.request
    return OutputFormat(request.output, elementFormat: request.elementFormat, quantization: request.quantization)
  }

  /// Everything that the plan depends on.
  private func planKey(_ statistics: String) throws -> String {
    let search = options.search
    return try """
    \(statistics)
    plan \(options.sizes) \(options.importance) \(search)
    format \(JSON(encoding: format).serialized())
    held out \(textKey(options.heldout, options.heldoutChunks))
    healed on \(search.searchHeal == nil ? "nothing" : calibrationKey)
    questions \(search.taskData.map { try ContentHash(ofFile: $0).description } ?? "none")
    """
  }

  private func makePlan(_ statistics: ActivationStatistics) throws -> PruningPlan {
    let context = options.sizes.goal?.context ?? model.limited(context: 4096)
    let heldOut = try options.heldout.map { try set($0, options.heldoutChunks) }
    let job = try PlanJob(
      PlanJob.Options(
        sizes: options.sizes, importance: options.importance, search: options.search, format: format, context: context),
      model, statistics, contentHash: try modelHash.get(),
      texts: PlanJob.Texts(
        heldOut: heldOut, calibration: options.search.searchHeal == nil ? nil : try calibrationSet.get()),
      progress)
    return try job.report(output: options.out).plan
  }

  /// The statistics, and what they depend on.
  private func statistics() throws -> (ActivationStatistics, key: String) {
    if let path = options.stats, FileSystem.exists(path) {
      let file = try StatisticsFile(path: path)
      try file.check(against: model, progress: progress.handler)
      sources.statistics = path
      steps.append(CompressReport.Step(name: "statistics", file: path, isReused: true))
      return (file.statistics, "statistics \(try ContentHash(ofFile: path))")
    }
    let key = try "\(baseKey())\ncalibration \(calibrationKey)\n\(lossKey)"
    if let path = options.stats, !options.dryRun {
      let file = try measure(to: path)
      sources.statistics = path
      steps.append(CompressReport.Step(name: "statistics", file: path, isReused: false))
      return (file.statistics, key)
    }
    let file = try step("statistics", Self.statistics, key: key) {
      try StatisticsFile(path: $0)
    } make: {
      try measure(to: $0)
    }
    sources.statistics = try work.get().file(Self.statistics)
    return (file.statistics, key)
  }

  /// One pass over the text; a run that was stopped goes on behind the last block that was done.
  private func measure(to path: String) throws -> StatisticsFile {
    let set = try calibrationSet.get()
    let settings = try StatisticsFile.Settings(
      of: model, on: set, text: options.calibration, progress: progress.handler)
    let folder = try CalibrationWork(path: work.get().file("calibration"), key: settings.workKey(lossKey))
    var statistics = try Calibration(of: model, on: set, work: folder).run(progress: progress.handler)
    if let lengths = lossLengths {
      let losses = try LayerLossMeasurement(
        of: model, on: set, lengths: lengths, tokenLimit: LayerLossMeasurement.quickTokenLimit)
      statistics.layerLosses = try losses.run(work: folder, progress: progress.handler)
    }
    let file = StatisticsFile(settings: settings, statistics: statistics)
    try file.write(to: path, overwrite: true)
    try folder.remove()
    return file
  }

  /// Runs of layers whose loss is needed; nil if layers are not chosen by loss.
  private var lossLengths: [Int]? {
    guard cutsLayers, options.importance.choosesByLoss else { return nil }
    guard options.importance.isContiguous else { return [1] }
    let count = model.hyperparameters.layerCount
    if let kept = options.sizes.target(model.hyperparameters).layers {
      return Array(Set([1, max(1, count - kept)])).sorted()
    }
    return Array(1...max(1, Int(Double(count) * options.sizes.maxDepth)))
  }

  private var cutsLayers: Bool {
    let kept = options.sizes.target(model.hyperparameters).layers
    return kept.map { $0 < model.hyperparameters.layerCount } ?? options.sizes.mayCutLayers
  }

  private var lossKey: String { lossLengths.map { "losses without \($0) layers" } ?? "" }

  func step<Value>(
    _ name: String, _ file: String, key: String, load: (String) throws -> Value, make: (String) throws -> Value
  ) throws -> Value {
    let folder = try work.get()
    let (value, isReused) = try folder.value(file, key: key, load: load, make: make)
    steps.append(CompressReport.Step(name: name, file: folder.file(file), isReused: isReused))
    return value
  }

  static func write(_ json: JSON, to path: String) throws {
    let file = try OutputFile(path: path, overwrite: true)
    try file.write(json.serializedBytes(.indented) + [0x0A])
    try file.commit()
  }

  // MARK: Texts and keys

  var calibrationLimit: Int { sequences.chunks ?? 32 }
  private var calibrationSample: Sampling { sequences.sample ?? .spread }

  private func makeCalibrationSet() throws -> CalibrationSet {
    guard let path = options.calibration else { preconditionFailure("no calibration text was asked for") }
    return try set(path, calibrationLimit, calibrationSample)
  }

  private func set(_ path: String, _ limit: Int, _ sample: Sampling = .start) throws -> CalibrationSet {
    var cut = sequences
    (cut.chunks, cut.sample) = (limit, sample)
    return try cut.set(path, model: model)
  }

  /// For the record: the same whether a step reads the text or takes what is there.
  func note(_ path: String, as purpose: String, _ limit: Int, _ sample: Sampling = .start) {
    sources.texts[purpose] = Recipe.Sources.Text(
      path: path, context: sequences.context ?? TextOptions.defaultContext, sequences: limit,
      beginsSequences: !sequences.noBos, isSpread: sample == .spread, field: sequences.field)
  }

  func heldOutSet() throws -> (CalibrationSet, text: String?) {
    guard let path = options.heldout ?? options.calibration else {
      return (.random(for: model, context: sequences.length(for: model)), nil)
    }
    return (try set(path, options.heldoutChunks), FileSystem.baseName(path))
  }

  func baseKey() throws -> String { try "mtconv \(Recipe.version)\nmodel \(modelHash.get())" }

  var calibrationKey: String {
    get throws { try textKey(options.calibration, calibrationLimit, calibrationSample) }
  }

  func textKey(_ path: String?, _ limit: Int, _ sample: Sampling = .start) throws -> String {
    guard let path else { return "none" }
    return try
      "\(ContentHash(ofFile: path)) context \(sequences.context ?? 0) sequences \(limit) begins \(!sequences.noBos)"
      + " sampled from \(sample) read as \(TextInput(path: path, field: sequences.field).kind)"
  }
}
