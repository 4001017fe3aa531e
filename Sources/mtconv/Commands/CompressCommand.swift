public import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
public import ModelCompression
internal import OrderedCollections
internal import TensorFormats

struct CompressCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compress",
    abstract: "Make a model smaller: drop its least important layers, quantize to FP8, write and verify it.",
    discussion: """
      Layers are ranked by block influence (1 − cos of what goes in and comes out) over --calibration text. FP8 weights are \
      E4M3 with a scale for each output channel, in the FP8_DYNAMIC layout of compressed-tensors that vLLM and transformers \
      load. The written model is opened again and compared with its parent on --heldout text.

      Examples:
        mtconv compress model.gguf small/ --drop-layers 8 --calibration text.txt
        mtconv compress model/ fp8/ --fp8
        mtconv compress model/ small/ --keep-layers 9 --calibration a.txt --dry-run
        mtconv compress model/ small/ --plan plan.json --fp8 --heldout text.txt
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var input: String

  @Argument(help: "The directory to write.", completion: .file())
  var out: String

  @Option(name: .long, help: ArgumentHelp("Layers to drop.", valueName: "count"))
  var dropLayers: Int?

  @Option(name: .long, help: ArgumentHelp("Layers to keep.", valueName: "count"))
  var keepLayers: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Drop what this pruning plan says instead of measuring: the 'pruning' of a recipe, as JSON.", valueName: "file"))
  var plan: String?

  @Flag(name: .long, help: "Quantize weights to FP8 E4M3.")
  var fp8 = false

  @Option(
    name: .long,
    help: ArgumentHelp("How FP8 codes are rounded: single, once; compat, as llm-compressor does.", valueName: "mode"))
  var rounding: QuantizationScheme.Rounding = .single

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Element format of what is not FP8 (default: bf16; an FP8 model keeps its own).", valueName: "format"))
  var dtype: PlainFormat?

  @Option(
    name: .long, help: ArgumentHelp("Text that importance is measured on; needed to drop layers.", valueName: "file"),
    completion: .file())
  var calibration: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Text that the result is verified on (default: the calibration text, or random tokens).", valueName: "file"),
    completion: .file())
  var heldout: String?

  @Option(name: .long, help: ArgumentHelp("Sequences of the held-out text.", valueName: "count"))
  var heldoutChunks = 8

  @Option(name: .long, help: ArgumentHelp("Largest safetensors shard, such as 5GB.", valueName: "size"))
  var maxShardSize: ByteSize?

  @Flag(name: .long, help: "Replace OUT if it exists.")
  var force = false

  @Flag(name: .long, help: "Measure and plan, and write nothing.")
  var dryRun = false

  @OptionGroup var sequences: TextOptions
  @OptionGroup var limits: VerificationOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if dropLayers != nil, keepLayers != nil { throw ValidationError("give --drop-layers or --keep-layers, not both") }
    if plan != nil, dropLayers != nil || keepLayers != nil {
      throw ValidationError("--plan says which layers to keep; --drop-layers and --keep-layers do not go with it")
    }
    if dropLayers == nil, keepLayers == nil, plan == nil, !fp8 {
      throw ValidationError(
        "nothing to do: give --drop-layers, --keep-layers, --plan or --fp8 (convert changes only the format)")
    }
    if let dropLayers, dropLayers < 0 { throw ValidationError("--drop-layers is \(dropLayers), expected at least 0") }
    if drops, calibration == nil { throw ValidationError("dropping layers needs --calibration TEXT") }
    if out.hasSuffix(".gguf") { throw ValidationError("compress writes a directory; convert it to GGUF afterwards") }
    if let keepLayers, keepLayers < 1 { throw ValidationError("--keep-layers is \(keepLayers), expected at least 1") }
    if heldoutChunks < 1 { throw ValidationError("--heldout-chunks is \(heldoutChunks), expected at least 1") }
  }

  private var drops: Bool { (dropLayers ?? 0) > 0 || keepLayers != nil }

  func run() throws {
    try FileError.refuseExisting(out, unless: force || dryRun)
    let model = try Checkpoint(path: input)
    for warning in model.warnings { Console.error("warning: \(warning)") }
    let compressor = try self.compressor(for: model)
    let progress = output.progress
    var working = compressor
    working.progress = progress.handler
    var sequences = sequences
    sequences.context = sequences.length(for: model)
    let calibrationSet =
      try calibration.map { try sequences.set($0, model: model, limit: 32) } ?? CalibrationSet(sequences: [])
    let recipe = try working.plan(for: model, calibration: calibrationSet)
    if dryRun {
      progress.finish()
      let report = try CompressReport(recipe: recipe, sizes: sizes(model, recipe), verification: nil)
      return try report.print(asJSON: output.json)
    }
    let result = try working.write(
      recipe, of: model, to: out, heldOut: heldOutSet(model, sequences), verifier: limits.verifier)
    progress.finish()
    let isRandom = heldout == nil && calibration == nil
    let report = CompressReport(recipe: result.recipe, sizes: nil, verification: result.report, isRandom: isRandom)
    try report.print(asJSON: output.json)
    if !result.report.passes { throw ExitStatus.refused }
  }

  private func compressor(for model: Checkpoint) throws -> Compressor {
    let layers = model.hyperparameters.layerCount
    var request = Compressor.Request()
    request.keptLayerCount = keepLayers ?? dropLayers.map { layers - $0 }
    if let kept = request.keptLayerCount, !(1...layers).contains(kept) {
      throw CompressionError(.invalidPlan, "cannot keep \(kept) of \(layers) layers")
    }
    request.pruning = try plan.map { try PruningPlan(parsing: FileSystem.read($0), name: $0) }
    // Codes of an FP8 model stay as they are, unless something else is asked for.
    let keepsCodes = !fp8 && model.weights.values.contains { $0.scale != nil }
    request.elementFormat = dtype?.elementFormat ?? (keepsCodes ? nil : .bf16)
    if fp8 { request.quantization = QuantizationScheme(rounding: rounding) }
    if let maxShardSize { request.write.maximumShardSize = maxShardSize.count }
    request.write.overwrites = force
    return Compressor(request)
  }

  private func heldOutSet(_ model: Checkpoint, _ sequences: TextOptions) throws -> CalibrationSet {
    guard let path = heldout ?? calibration else { return .random(for: model, context: sequences.length(for: model)) }
    var options = sequences
    options.chunks = heldoutChunks
    return try options.set(path, model: model)
  }

  private func sizes(_ model: Checkpoint, _ recipe: Recipe) throws -> CompressReport.Sizes {
    let result = try recipe.applied(to: model)
    return CompressReport.Sizes(
      parentParameters: model.parameterCount, parameters: result.parameterCount, parentBytes: model.byteCount,
      bytes: try result.byteCount(as: recipe.output))
  }
}

extension QuantizationScheme.Rounding: ExpressibleByArgument {}

/// Formats that every engine computes in.
enum PlainFormat: String, CaseIterable, ExpressibleByArgument {
  case f32, f16, bf16

  var elementFormat: ElementFormat {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }
}
