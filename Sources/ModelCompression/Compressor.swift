internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute
public import TensorFormats

/// The whole job: measure, plan, apply, write, verify.
public struct Compressor: Sendable {
  public var request: Request
  public var progress: WorkProgress.Handler = { _ in }

  /// What is asked for.
  public struct Request: Sendable {
    /// Layers to keep; nil keeps all.
    public var keptLayerCount: Int?
    /// A plan made before; takes the place of measuring.
    public var pruning: PruningPlan?
    public var elementFormat: ElementFormat? = .bf16
    public var quantization: QuantizationScheme?
    public var write = WriteOptions()

    public init() {}
  }

  /// What came out.
  public struct Result: Sendable {
    public let recipe: Recipe
    public let report: VerificationReport
  }

  public init(_ request: Request) { self.request = request }

  /// Chooses the layers. Reads the whole model once if there is something to measure.
  public func plan(for model: Checkpoint, calibration: CalibrationSet) throws -> Recipe {
    var pruning = request.pruning
    if pruning == nil, let count = request.keptLayerCount, count != model.hyperparameters.layerCount {
      let influence = try BlockInfluence(of: model, on: calibration, progress: progress)
      pruning = try PruningPlan(keeping: count, by: influence)
    }
    return Recipe(
      parent: model, output: .huggingFace, pruning: pruning, elementFormat: request.elementFormat,
      quantization: request.quantization)
  }

  /// Writes what the recipe makes of `model` as a Hugging Face directory, opens it again and verifies it.
  public func write(
    _ recipe: Recipe, of model: Checkpoint, to path: String, heldOut: CalibrationSet, verifier: Verifier = Verifier()
  ) throws -> Result {
    var options = request.write
    options.progress = progress
    try recipe.write(of: model, to: path, options)
    var verifier = verifier
    verifier.progress = progress
    let report = try verifier.verify(Checkpoint(path: path), against: model, recipe: recipe, on: heldOut)
    return Result(recipe: recipe, report: report)
  }
}
