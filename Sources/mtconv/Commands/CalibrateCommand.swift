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

  @Flag(name: .long, help: "Replace the output file if it exists.")
  var force = false

  @OptionGroup var sequences: TextOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try FileError.refuseExisting(outputFile, unless: force)
    let checkpoint = try Checkpoint(path: model)
    let set = try sequences.set(text, model: checkpoint)
    let progress = output.progress
    let statistics = try ActivationStatistics(of: checkpoint, on: set, progress: progress.handler)
    progress.finish()
    let settings = StatisticsFile.Settings(
      model: Recipe.Parent(checkpoint), text: FileSystem.baseName(text), context: set.sequences[0].count,
      sequences: set.sequences.count, tokens: set.tokenCount)
    try StatisticsFile(settings: settings, statistics: statistics).write(to: outputFile, overwrite: force)
    try CalibrateReport(settings: settings, statistics: statistics, output: outputFile).print(asJSON: output.json)
  }
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
