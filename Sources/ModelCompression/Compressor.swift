internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute
internal import OrderedCollections
public import TensorFormats

/// The whole job: measure, plan, heal, apply, write, verify.
public struct Compressor: Sendable {
  public var request: Request
  public var progress: WorkProgress.Handler = { _ in }
  /// As in `Healer`.
  public var scratchFolder: String?

  /// What is asked for.
  public struct Request: Sendable {
    /// Layers to keep; nil keeps all.
    public var keptLayerCount: Int?
    /// What these layers are chosen by: `.loss`, on the first sequences of the calibration set, or `.blockInfluence`, which takes
    /// one pass over the set.
    public var criterion = PruningPlan.Criterion.loss
    /// A plan made before; takes the place of measuring.
    public var pruning: PruningPlan?
    public var elementFormat: ElementFormat? = .bf16
    public var quantization: QuantizationScheme?
    public var output = Checkpoint.FileFormat.huggingFace
    public var write = WriteOptions()

    public init() {}
  }

  /// What came out.
  public struct Result: Sendable {
    /// As it stands in the output, with what verification found.
    public let recipe: Recipe
    public let report: VerificationReport
  }

  public init(_ request: Request) { self.request = request }

  /// Chooses the layers, if there are some to choose.
  /// - Throws: `CompressionError.invalidPlan` for a criterion that is not measured here, and what the measurement throws.
  public func plan(for model: Checkpoint, calibration: CalibrationSet) throws -> Recipe {
    var pruning = request.pruning
    if pruning == nil, let count = request.keptLayerCount, count != model.hyperparameters.layerCount {
      pruning = try PruningPlan(keeping: count, by: layerCosts(of: model, on: calibration))
    }
    var recipe = Recipe(
      parent: model, output: request.output, pruning: pruning, elementFormat: request.elementFormat,
      quantization: request.quantization)
    if request.write.maximumShardSize != WriteOptions().maximumShardSize {
      recipe.maximumShardSize = request.write.maximumShardSize
    }
    return recipe
  }

  private func layerCosts(of model: Checkpoint, on calibration: CalibrationSet) throws -> LayerCosts {
    switch request.criterion {
    case .loss:
      let losses = try LayerLossMeasurement(
        of: model, on: calibration, tokenLimit: LayerLossMeasurement.quickTokenLimit)
      return LayerCosts(try losses.run(progress: progress), layerCount: model.hyperparameters.layerCount)
    case .blockInfluence:
      return LayerCosts(try BlockInfluence(of: model, on: calibration, progress: progress))
    case .angularDistance, .perplexity, .task, .explicit:
      throw CompressionError(
        .invalidPlan, "layers are chosen here by loss or block influence, not by \(request.criterion.rawValue)")
    }
  }

  /// Fits the weights that a recipe leaves to what the parent did, without training.
  public func heal(
    _ recipe: Recipe, of model: Checkpoint, on calibration: CalibrationSet,
    settings: Healer.Settings = Healer.Settings()
  ) throws -> Healing {
    guard let plan = recipe.pruning else {
      throw CompressionError(.invalidPlan, "nothing was pruned, so there is nothing to heal")
    }
    var healer = Healer(settings)
    healer.progress = progress
    healer.scratchFolder = scratchFolder
    return try healer.heal(model, plan: plan, on: calibration)
  }

  /// Writes what the recipe makes of `model`, opens it again and verifies it.
  ///
  /// In a directory, recipe and model card say afterwards what verification found.
  /// - Parameters:
  ///   - recipe: sealed, if the output shall say what it was made of.
  ///   - overlay: the weights that the recipe speaks of.
  ///   - text: the name of the held-out text; nil for random tokens.
  ///   - isWritten: whether the output is there already, from a run that was stopped before it was verified.
  public func write(
    _ recipe: Recipe, of model: Checkpoint, overlay: WeightOverlay? = nil, to path: String, heldOut: CalibrationSet,
    text: String? = nil, verifier: Verifier = Verifier(), isWritten: Bool = false
  ) throws -> Result {
    if !isWritten {
      var options = request.write
      options.progress = progress
      try recipe.write(of: model, overlay: overlay, to: path, options)
    }
    var verifier = verifier
    verifier.progress = progress
    let report = try verifier.verify(
      Checkpoint(path: path), against: model, recipe: recipe, overlay: overlay, on: heldOut)
    var finished = recipe
    guard recipe.output == .huggingFace else { return Result(recipe: finished, report: report) }
    finished.verification = VerificationSummary(report, text: text)
    try finished.applied(to: model, overlay: overlay).updateRecords(in: path)
    return Result(recipe: finished, report: report)
  }
}
