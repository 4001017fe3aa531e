internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

/// What takes the place of the weights that the cut leaves: healed, and distilled from there.
extension CompressJob {
  struct NewWeights {
    var overlay: WeightOverlay?
    var healing: HealingReport?
    var distillation: DistillationReport?
    /// The weights as healing left them.
    var healed: WeightOverlay?

    /// What the recipe keeps of it.
    var record: JSON? {
      get throws {
        guard let distillation, distillation.isUsed else { return try healing?.summary }
        var record: JSONObject = ["distillation": try distillation.summary]
        if let healing { record["healing"] = try healing.summary }
        return .object(record)
      }
    }
  }

  func newWeights(for recipe: Recipe) throws -> NewWeights {
    try forgetOtherRuns()
    let healing = try healing(of: recipe)
    var weights = NewWeights(overlay: healing?.overlay, healing: healing?.report, healed: healing?.overlay)
    guard options.distillation.isWanted else { return weights }
    let (overlay, report) = try distillation(of: recipe, healing)
    weights.distillation = report
    if let overlay { weights.overlay = overlay }
    return weights
  }

  /// Removes what `report` would show of an earlier run that did more, from a folder of our own. Training that was stopped stays.
  private func forgetOtherRuns() throws {
    guard options.work == nil, FileSystem.exists(workPath) else { return }
    let work = try work.get()
    var names: [String] = []
    if options.noHeal || options.calibration == nil { names.append(Self.healing) }
    if options.plan != nil || !options.plansItself { names += [Self.plan, Self.statistics] }
    if options.stats != nil { names.append(Self.statistics) }
    if !options.distillation.isWanted { names.append(Self.distillation) }
    work.remove(names, keepingFolder: true)
    guard !options.distillation.isWanted else { return }
    let training = try CompressionWork(path: work.file(Self.training))
    if !DistillationStep.isUnfinished(in: training) { training.remove(DistillationStep.names) }
  }

  private func healing(of recipe: Recipe) throws -> Healing? {
    guard let plan = recipe.pruning, options.calibration != nil, !options.noHeal else { return nil }
    let settings = Healer.Settings()
    let key = try """
    \(baseKey())
    calibration \(calibrationKey)
    pruned by \(planHash(recipe))
    healing \(JSON(encoding: settings).serialized())
    """
    let folder = try work.get()
    return try step("healed weights", Self.healed, key: key) { path in
      let report: HealingReport = try JSON(parsing: FileSystem.read(folder.file(Self.healing))).decoded()
      return Healing(overlay: try WeightOverlay(path: path, for: try model.pruned(by: plan)), report: report)
    } make: { path in
      var compressor = compressor
      compressor.scratchFolder = folder.path
      let healing = try compressor.heal(recipe, of: model, on: calibrationSet.get(), settings: settings)
      try healing.report.write(to: folder.file(Self.healing), overwrite: true)
      try healing.overlay.write(to: path, overwrite: true)
      return healing
    }
  }

  // MARK: Distillation

  private var trainingPath: String { options.distillation.data ?? options.calibration! }

  /// Training from where healing ended; nil if nothing is cut.
  func distillationStep(of recipe: Recipe, healing: WeightOverlay?) throws -> DistillationStep {
    guard let plan = recipe.pruning else {
      throw CompressionError(
        .invalidPlan, "the plan keeps everything, so there is nothing to distil; leave \(options.distillation.name) out"
      )
    }
    let pruned = try model.pruned(by: plan).unrounded
    let student = try healing.map { try pruned.replacing($0) } ?? pruned
    let context = sequences.context ?? TextOptions.defaultContext
    let data = try TrainingData(
      reading: TextInput(path: trainingPath, field: sequences.field), model: student, context: context)
    return try DistillationStep(
      student, from: model, plan: plan, data: data, heldOut: heldOutSet().0, options: options.distillation,
      progress: progress)
  }

  /// The trained weights, or nil if they are no better than those before.
  private func distillation(
    of recipe: Recipe, _ healing: Healing?
  ) throws -> (WeightOverlay?, DistillationReport) {
    let training = try distillationStep(of: recipe, healing: healing?.overlay)
    let folder = try work.get()
    let inputs = try """
    \(baseKey())
    pruned by \(planHash(recipe))
    healed weights \(healing?.overlay.contentHash().description ?? "none")
    training \(ContentHash(ofFile: trainingPath)) field \(sequences.field) context \(training.data.context)
    held out \(textKey(options.heldout, options.heldoutChunks))
    """
    let settings = try settings(of: training, key: inputs)
    let key = try "\(inputs)\ndistillation \(JSON(encoding: settings).serialized())"
    let report = try step("distilled weights", Self.distillation, key: key) { path in
      try JSON(parsing: FileSystem.read(path)).decoded()
    } make: { path in
      let state = try CompressionWork(path: folder.file(Self.training))
      let outcome = try training.train(settings, in: state, key: key)
      if let weights = outcome.weights {
        let all = healing.map { $0.overlay.merging(weights) } ?? weights
        try all.write(to: folder.file(Self.distilled), overwrite: true)
      }
      let report = DistillationReport(outcome, settings: settings)
      try Self.write(JSON(encoding: report), to: path)
      training.clean(state)
      return report
    }
    guard report.isUsed else { return (nil, report) }
    note(trainingPath, as: "training", training.data.rows.count)
    return (try WeightOverlay(path: folder.file(Self.distilled), for: training.student), report)
  }

  /// A time becomes a number of steps once; from then on the run is that of so many.
  private func settings(of training: DistillationStep, key: String) throws -> DistillationSettings {
    guard let minutes = options.distillation.minutes else { return try training.settings() }
    let wanted = try JSON(encoding: options.distillation.settings(context: training.data.context)).serialized()
    return try work.get().value(Self.timed, key: "\(key)\n\(minutes) minutes of \(wanted)") { path in
      try JSON(parsing: FileSystem.read(path)).decoded()
    } make: { path in
      let settings = try training.settings()
      try Self.write(JSON(encoding: settings), to: path)
      return settings
    }.value
  }

  private func planHash(_ recipe: Recipe) throws -> ContentHash {
    ContentHash(of: Array(try JSON(encoding: recipe.pruning).serialized().utf8))
  }

  // MARK: Stages

  /// How good the model was after each step before the last, on the held-out text; nothing if there was no step between.
  func stages(of recipe: Recipe, _ weights: NewWeights, _ heldOut: CalibrationSet) throws -> [Stage] {
    guard let plan = recipe.pruning, weights.overlay != nil, options.heldout != nil else { return [] }
    let pruned = try model.pruned(by: plan)
    var models = [pruned]
    // Training has looked already.
    if weights.distillation == nil, let healed = weights.healed { models.append(try pruned.replacing(healed)) }
    let qualities = try HeldOutQuality.of(models, against: model, on: heldOut, progress: progress.handler)
    var stages = [Stage("pruned", qualities[0])]
    if weights.healed != nil { stages.append(Stage("healed", weights.distillation?.start ?? qualities[1])) }
    if let distillation = weights.distillation, distillation.isUsed {
      stages.append(Stage("distilled", distillation.best))
    }
    return stages
  }
}

/// The quality of a model on its way, in the order of the steps.
struct Stage: Codable, Equatable {
  let name: String
  let perplexity: Perplexity
  /// Mean KL from the parent, in nats; nil for the parent.
  let divergence: Double?

  init(_ name: String, _ quality: HeldOutQuality) {
    (self.name, perplexity, divergence) = (name, quality.perplexity, quality.divergence)
  }

  private init(_ name: String, _ perplexity: Perplexity, _ divergence: Double?) {
    (self.name, self.perplexity, self.divergence) = (name, perplexity, divergence)
  }

  /// The stages between parent and written file, with these.
  static func all(_ stages: [Stage], _ result: Compressor.Result) -> [Stage] {
    let quality = result.report.quality
    let format = result.recipe.quantization == nil ? "written" : "FP8"
    return [Stage("parent", quality.parentPerplexity, nil)] + stages
      + [Stage(format, quality.perplexity, quality.comparison.divergence)]
  }
}
