internal import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Run a model over text and keep the statistics of its activations.",
    discussion: """
      One forward pass, layer by layer, collects what every later step needs: the importance of hidden channels, neurons, \
      heads and layers, the angular distance over every run of layers, and the magnitudes that static FP8 scales and llama.cpp's \
      importance matrix follow from. The file is small, and plan makes any number of plans from it.

      With --work the activations wait in files there, so that memory does not grow with the text, and a run that was \
      stopped goes on where it was when it is given again.

      Examples:
        mtconv calibrate model.gguf --text text.txt -o stats.safetensors --chunks 64
        mtconv calibrate model/ --jsonl c4.jsonl -o stats.safetensors --chunks 1024 --work work/
        mtconv calibrate model/ --text text.txt -o stats.safetensors --layer-loss 4,8
        mtconv calibrate model/ --text text.txt -o stats.safetensors --imatrix imatrix.gguf
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @Option(
    name: [.short, .customLong("output")], help: ArgumentHelp("The safetensors file to write.", valueName: "file"),
    completion: .file())
  var outputFile: String

  @Option(
    name: .long,
    help: ArgumentHelp("Also write an importance matrix for llama.cpp's llama-quantize.", valueName: "file"),
    completion: .file())
  var imatrix: String?

  @Option(
    name: .long, help: ArgumentHelp("Keep activations and what is done in this folder.", valueName: "folder"),
    completion: .directory)
  var work: String?

  @Flag(name: .long, help: "Replace output files if they exist.")
  var force = false

  @Flag(name: .long, help: "Say what it will cost, and run nothing.")
  var dryRun = false

  @OptionGroup(title: "Text") var input: TextInputOptions
  @OptionGroup(title: "Skipped layers") var layerLoss: LayerLossOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws { try input.require() }

  func run() throws {
    let inputs = [model, input.input?.path]
    if !dryRun { try FileError.refuseExisting(files: outputFile, imatrix, from: inputs + [work], unless: force) }
    try FileError.refuseWork(work, from: inputs)
    let checkpoint = try Checkpoint(path: model)
    let set = try input.requiredSet(model: checkpoint)
    let losses = try layerLoss.measurement(of: checkpoint, on: set)
    if dryRun {
      return try CalibrationCostReport(of: checkpoint, on: set, losses: losses).print(asJSON: output.json)
    }
    if !output.quiet, let losses { Console.error(try CalibrationCostReport.text(losses)) }
    let file = try measure(checkpoint, set, losses)
    try CalibrateReport(file, output: outputFile).print(asJSON: output.json)
  }

  private func measure(
    _ checkpoint: Checkpoint, _ set: CalibrationSet, _ losses: LayerLossMeasurement?
  ) throws -> StatisticsFile {
    let progress = output.progress
    defer { progress.finish() }
    let settings = try StatisticsFile.Settings(
      of: checkpoint, on: set, text: input.input?.path, progress: progress.handler)
    let folder = try work.map { try CalibrationWork(path: $0, key: settings.workKey(layerLoss.description)) }
    var statistics = try Calibration(of: checkpoint, on: set, work: folder).run(progress: progress.handler)
    statistics.layerLosses = try losses?.run(work: folder, progress: progress.handler)
    let file = StatisticsFile(settings: settings, statistics: statistics)
    try file.write(to: outputFile, overwrite: force)
    if let imatrix { try ImportanceMatrix(file, of: checkpoint).write(to: imatrix, overwrite: force) }
    try folder?.remove()
    return file
  }
}

struct LayerLossOptions: ParsableArguments, CustomStringConvertible {
  @Option(
    name: .long, defaultAsFlag: LayerRunLengths(),
    help: ArgumentHelp(
      "Measure the loss without each layer, and without each run of so many layers, such as 4,8.", valueName: "lengths")
  )
  var layerLoss: LayerRunLengths?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Tokens that --layer-loss runs on (default: \(LayerLossMeasurement.defaultTokenLimit)).", valueName: "tokens"))
  var layerLossTokens: Int?

  private var tokenLimit: Int { layerLossTokens ?? LayerLossMeasurement.defaultTokenLimit }

  func validate() throws {
    if let length = layerLoss?.values.first(where: { $0 < 1 }) {
      throw ValidationError("--layer-loss has a run of \(length) layers, expected at least 1")
    }
    if tokenLimit < 1 { throw ValidationError("--layer-loss-tokens is \(tokenLimit), expected at least 1") }
    if layerLossTokens != nil, layerLoss == nil { throw ValidationError("--layer-loss-tokens needs --layer-loss") }
  }

  /// Nil if it was not asked for.
  func measurement(of model: Checkpoint, on set: CalibrationSet) throws -> LayerLossMeasurement? {
    try layerLoss.map {
      try LayerLossMeasurement(of: model, on: set, lengths: $0.values, tokenLimit: tokenLimit)
    }
  }

  var description: String { layerLoss.map { "layer losses \($0) on \(tokenLimit) tokens" } ?? "" }
}

/// Lengths of runs of layers: `1,4,8`.
struct LayerRunLengths: ExpressibleByArgument, CustomStringConvertible {
  var values = [1]

  init() {}

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    values = parts.compactMap { $0 }
    guard values.count == parts.count else { return nil }
  }

  var description: String { values.map(String.init).joined(separator: ",") }
}
