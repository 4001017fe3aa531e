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
      heads and layers, the angular distance over every run of layers, and the largest activations. The file is small, \
      and plan makes any number of plans from it.

      Example:
        mtconv calibrate model.gguf --text text.txt -o stats.safetensors --chunks 64
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @Option(name: .long, help: ArgumentHelp("A UTF-8 text file.", valueName: "file"), completion: .file())
  var text: String

  @Option(
    name: [.short, .customLong("output")], help: ArgumentHelp("The safetensors file to write.", valueName: "file"),
    completion: .file())
  var outputFile: String

  @Option(
    name: .long, defaultAsFlag: LayerRunLengths(),
    help: ArgumentHelp(
      "Measure the loss without each layer, and without each run of so many layers, such as 4,8.", valueName: "lengths")
  )
  var layerLoss: LayerRunLengths?

  @Option(name: .long, help: ArgumentHelp("Tokens that --layer-loss runs on.", valueName: "tokens"))
  var layerLossTokens = LayerLossMeasurement.defaultTokenLimit

  @Flag(name: .long, help: "Replace the output file if it exists.")
  var force = false

  @OptionGroup var sequences: TextOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let length = layerLoss?.values.first(where: { $0 < 1 }) {
      throw ValidationError("--layer-loss has a run of \(length) layers, expected at least 1")
    }
    if layerLossTokens < 1 { throw ValidationError("--layer-loss-tokens is \(layerLossTokens), expected at least 1") }
  }

  func run() throws {
    try FileError.refuseExisting(outputFile, unless: force)
    let checkpoint = try Checkpoint(path: model)
    let set = try sequences.set(text, model: checkpoint)
    let progress = output.progress
    let losses = try layerLoss.map {
      try LayerLossMeasurement(of: checkpoint, on: set, lengths: $0.values, tokenLimit: layerLossTokens)
    }
    if let losses { try announce(losses, of: checkpoint) }
    var statistics = try ActivationStatistics(of: checkpoint, on: set, progress: progress.handler)
    statistics.layerLosses = try losses?.run(progress: progress.handler)
    progress.finish()
    let settings = StatisticsFile.Settings(
      model: Recipe.Parent(checkpoint), text: FileSystem.baseName(text), context: set.sequences[0].count,
      sequences: set.sequences.count, tokens: set.tokenCount)
    try StatisticsFile(settings: settings, statistics: statistics).write(to: outputFile, overwrite: force)
    try CalibrateReport(settings: settings, statistics: statistics, output: outputFile).print(asJSON: output.json)
  }

  /// What skipping layers will cost, before anything is run.
  private func announce(_ losses: LayerLossMeasurement, of model: Checkpoint) throws {
    guard !output.quiet else { return }
    let time = NumberText.duration(try losses.estimatedSeconds())
    Console.error(
      "layer losses: \(losses.runCount) runs (lengths \(losses.lengths.map(String.init).joined(separator: ", "))) on"
        + " \(losses.tokenCount) tokens, \(losses.blockPasses) block passes (the model itself has"
        + " \(model.hyperparameters.layerCount)), about \(time)")
  }
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

struct CalibrateReport: Report {
  let settings: StatisticsFile.Settings
  let output: String
  let blockInfluence: [Double]
  /// For each number of layers, the first layer of the run that turns the residual stream least.
  let bestRuns: [Run]

  struct Run: Encodable {
    let layers: Int
    let first: Int
    let angularDistance: Double
  }

  init(settings: StatisticsFile.Settings, statistics: ActivationStatistics, output: String) {
    self.settings = settings
    self.output = output
    blockInfluence = statistics.influence.scores
    let distances = statistics.angularDistances
    bestRuns = (1..<max(distances.count, 1)).compactMap { count in
      let runs = distances.indices.filter { count <= distances[$0].count }
      guard let first = runs.min(by: { distances[$0][count - 1] < distances[$1][count - 1] }) else { return nil }
      return Run(layers: count, first: first, angularDistance: distances[first][count - 1])
    }
  }

  var text: String {
    "\(settings.tokens) tokens in \(settings.sequences) sequences of \(settings.context), statistics in \(output)\n\n"
      + InfluenceChart(scores: blockInfluence).text + "\n\n" + runs
  }

  private var runs: String {
    var table = TextTable([("run of layers", .right), ("angular distance", .right), ("", .left)])
    for run in bestRuns {
      let bar = InfluenceChart.bar(run.angularDistance, of: bestRuns.map(\.angularDistance).max() ?? 1)
      let last = run.first + run.layers - 1
      table.add([
        run.layers == 1 ? "\(run.first)" : "\(run.first)–\(last)", NumberText.fixed(run.angularDistance, 4), bar,
      ])
    }
    return table.text
  }
}
