public import ArgumentParser
internal import ModelArchitectures
public import ModelCheckpoints
public import ModelCompression
internal import OrderedCollections
internal import TensorFormats

struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Store the matrices of a model in FP8 E4M3, for the engine that will run it.",
    discussion: """
      Reads a directory or GGUF file, FP8 ones too, and writes a directory. Matrices that multiply activations become codes; \
      embeddings, norms, biases, the head and what --ignore names do not.

      scheme         weights: a scale for   activations
      fp8-dynamic    each output channel    each token, as the engine runs
      fp8-block      each 128×128 block     each token and 128 channels
      fp8-static     each tensor            calibrated; needs --stats

      dialect              dynamic  block  static  KV scales  read by
      compressed-tensors   yes      yes    yes     yes        vLLM, transformers
      fp8                  no       yes    yes     static     vLLM, SGLang
      modelopt             yes      yes    yes     yes        TensorRT-LLM, vLLM
      transformers         no       yes    yes     no         transformers

      Examples:
        mtconv quantize model/ -o fp8/ --scheme fp8-dynamic
        mtconv quantize model.gguf -o fp8/ --scheme fp8-block --dialect fp8
        mtconv quantize model/ -o fp8/ --scheme fp8-dynamic --scales mse
        mtconv quantize model/ -o fp8/ --scheme fp8-static --stats stats.safetensors
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @Option(
    name: [.short, .customLong("output")], help: ArgumentHelp("The directory to write.", valueName: "directory"),
    completion: .file())
  var out: String

  @Option(name: .long, help: "What shares a scale, and what is said of activations.")
  var scheme: QuantizationScheme.Kind

  @Option(name: .long, help: "Names, shapes and configuration of the output.")
  var dialect: QuantizationDialect = .compressedTensors

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How scales and codes are found: single, largest magnitude and one rounding; compat, the bytes of llm-compressor and "
        + "ModelOpt; mse, the scale with the least squared error; output, the same with errors weighted by the inputs, needs "
        + "--stats.", valueName: "method"))
  var scales: ScaleMethod = .single

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A module to leave as it is, beside lm_head: its name, re:PATTERN, or a name with *. May be given again.",
      valueName: "module"))
  var ignore: [String] = []

  @Option(
    name: .long, help: ArgumentHelp("Statistics that 'calibrate' made of this model.", valueName: "file"),
    completion: .file())
  var stats: String?

  @Flag(name: .long, help: "Add calibrated scales for an FP8 key-value cache.")
  var kvCache = false

  @Flag(
    name: .long,
    help: "fp8-static: a scale of their own for query, key and value, and for gate and up, which engines fuse.")
  var separateScales = false

  @Option(name: .long, help: "Element format of what is not FP8.")
  var dtype: PlainFormat = .bf16

  @OptionGroup var writing: WritingOptions
  @OptionGroup var hashes: HashOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if out.hasSuffix(".gguf") { throw ValidationError("quantize writes a directory; GGUF has no FP8") }
    let isCalibrated = scheme == .fp8Static || kvCache
    if isCalibrated, stats == nil { throw ValidationError("calibrated scales need --stats; see 'mtconv calibrate'") }
    if scales == .output, stats == nil {
      throw ValidationError("--scales output needs --stats; see 'mtconv calibrate'")
    }
    if !isCalibrated, scales != .output, stats != nil {
      throw ValidationError("--stats is for fp8-static, --kv-cache and --scales output")
    }
    if separateScales, scheme != .fp8Static { throw ValidationError("--separate-scales is for fp8-static") }
    if let fault = ignore.compactMap({ ModulePattern($0).fault }).first { throw ValidationError("--ignore: \(fault)") }
    do {
      try dialect.check(quantization(nil).layout)
    } catch let error as CheckpointError {
      throw ValidationError(error.message)
    }
  }

  func run() throws {
    try writing.refuseExisting(out, from: model, stats)
    let source = try Checkpoint(path: model)
    for warning in source.warnings { Console.error("warning: \(warning)") }
    var recipe = Recipe(
      parent: source, output: .huggingFace, elementFormat: dtype.elementFormat,
      quantization: quantization(try statistics(of: source)))
    recipe.maximumShardSize = writing.maxShardSize?.count
    if !writing.dryRun, !hashes.noHashes {
      try recipe.seal(parent: source, sources: sources, progress: output.progress.handler)
    }
    let quantized = try recipe.applied(to: source)
    for warning in quantized.warnings.dropFirst(source.warnings.count) { Console.error("warning: \(warning)") }
    if !writing.dryRun { try write(quantized) }
    let measured = writing.dryRun ? nil : try QuantizationReport(of: quantized)
    try QuantizeReport(source, quantized, recipe, to: out, measured: measured).print(asJSON: output.json)
  }

  private var sources: Recipe.Sources {
    var sources = Recipe.Sources()
    sources.statistics = stats
    sources.command = CommandLine.arguments
    return sources
  }

  private func quantization(_ statistics: ActivationStatistics?) -> QuantizationScheme {
    let isCalibrated = scheme == .fp8Static || kvCache
    return QuantizationScheme(
      kind: scheme, dialect: dialect, rounding: scales == .compat ? .compat : .single, search: scales.search,
      ignored: Array(OrderedSet(QuantizationScheme.defaultIgnored + ignore)),
      sharesScales: separateScales ? false : nil,
      quantizesKeyValueCache: kvCache, ranges: isCalibrated ? statistics.map { ActivationRanges($0) } : nil,
      inputPowers: scales == .output ? statistics.map { InputPowers($0) } : nil)
  }

  private func statistics(of model: Checkpoint) throws -> ActivationStatistics? {
    guard let stats else { return nil }
    let file = try StatisticsFile(path: stats)
    try file.check(against: model)
    return file.statistics
  }

  private func write(_ quantized: Checkpoint) throws {
    let progress = output.progress
    defer { progress.finish() }
    try quantized.write(to: out, as: .huggingFace, writing.options(progress))
  }
}

/// What `--scales` takes.
enum ScaleMethod: String, CaseIterable, ExpressibleByArgument {
  case single, compat, mse, output

  var search: QuantizationScheme.Search {
    switch self {
    case .single, .compat: .none
    case .mse: .meanSquaredError
    case .output: .outputError
    }
  }
}

extension QuantizationScheme.Kind: ExpressibleByArgument {}

extension QuantizationDialect: ExpressibleByArgument {
  public init?(argument: String) {
    guard let dialect = Self(rawValue: argument), Self.written.contains(dialect) else { return nil }
    self = dialect
  }

  public static var allValueStrings: [String] { written.map(\.rawValue) }

  private static var written: [QuantizationDialect] { allCases.filter { !$0.capabilities.isEmpty } }
}
