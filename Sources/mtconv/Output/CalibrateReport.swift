internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression

struct CalibrateReport: Report {
  let settings: StatisticsFile.Settings
  let output: String
  let blockInfluence: [Double]
  /// For each number of layers, the first layer of the run that turns the residual stream least.
  let bestRuns: [Run]
  /// The loss of the model, and for each length the run of layers that costs least to skip; nil if that was not measured.
  let layerLosses: Losses?

  struct Run: Encodable {
    let layers: Int
    let first: Int
    let angularDistance: Double
  }

  struct Losses: Encodable {
    let baseline: Double
    let tokens: Int
    /// The loss without each layer.
    let withoutLayer: [Double]
    let bestRuns: [SkippedRun]
  }

  struct SkippedRun: Encodable {
    let layers: Int
    let first: Int
    let loss: Double
  }

  init(_ file: StatisticsFile, output: String) {
    settings = file.settings
    self.output = output
    blockInfluence = file.statistics.influence.scores
    let distances = file.statistics.angularDistances
    bestRuns = (1..<max(distances.count, 1)).compactMap { count in
      let runs = distances.indices.filter { count <= distances[$0].count }
      guard let first = runs.min(by: { distances[$0][count - 1] < distances[$1][count - 1] }) else { return nil }
      return Run(layers: count, first: first, angularDistance: distances[first][count - 1])
    }
    layerLosses = file.statistics.layerLosses.map { losses in
      let best = losses.lengths.compactMap { length -> SkippedRun? in
        let row = losses.losses(skipping: length) ?? []
        return row.indices.min { row[$0] < row[$1] }.map { SkippedRun(layers: length, first: $0, loss: row[$0]) }
      }
      return Losses(
        baseline: losses.baseline, tokens: losses.tokenCount, withoutLayer: losses.losses(skipping: 1) ?? [],
        bestRuns: best)
    }
  }

  var text: String {
    let lengths = settings.sequences * settings.context == settings.tokens ? "of" : "of up to"
    var parts = [
      "\(settings.tokens) tokens in \(settings.sequences) sequences \(lengths) \(settings.context), statistics in \(output)",
      LayerChart(scores: blockInfluence).text, runs,
    ]
    if let layerLosses { parts.append(Self.table(layerLosses)) }
    return parts.joined(separator: "\n\n")
  }

  private var runs: String {
    var table = TextTable([("run of layers", .right), ("angular distance", .right), ("", .left)])
    for run in bestRuns {
      let bar = LayerChart.bar(run.angularDistance, of: bestRuns.map(\.angularDistance).max() ?? 1)
      table.add([Self.range(run.first, run.layers), NumberText.fixed(run.angularDistance, 4), bar])
    }
    return table.text
  }

  private static func table(_ losses: Losses) -> String {
    var table = TextTable([("without", .right), ("loss", .right), ("change", .right)])
    table.add(["nothing", NumberText.fixed(losses.baseline, 4), ""])
    for run in losses.bestRuns {
      let change = run.loss - losses.baseline
      table.add([
        range(run.first, run.layers), NumberText.fixed(run.loss, 4),
        (change < 0 ? "" : "+") + NumberText.fixed(change, 4),
      ])
    }
    return table.text
  }

  private static func range(_ first: Int, _ count: Int) -> String {
    count == 1 ? "\(first)" : "\(first)–\(first + count - 1)"
  }
}

/// What a calibration will cost.
struct CalibrationCostReport: Report {
  let sequences: Int
  let tokens: Int
  /// Of all tokens through one block each.
  let blockPasses: Int
  /// F32 values of the residual stream.
  let streamBytes: Int
  let layerLoss: LayerLoss?

  struct LayerLoss: Encodable {
    let runs: Int
    let tokens: Int
    let blockPasses: Int
    let estimatedSeconds: Double
  }

  init(of model: Checkpoint, on set: CalibrationSet, losses: LayerLossMeasurement?) throws {
    sequences = set.sequences.count
    tokens = set.tokenCount
    blockPasses = model.hyperparameters.layerCount
    streamBytes = set.tokenCount * model.hyperparameters.hiddenSize * 4
    layerLoss = try losses.map {
      LayerLoss(
        runs: $0.runCount, tokens: $0.tokenCount, blockPasses: $0.blockPasses,
        estimatedSeconds: try $0.estimatedSeconds())
    }
  }

  var text: String {
    var table = TextTable([("", .left), ("tokens", .right), ("block passes", .right), ("", .left)])
    table.add([
      "statistics", "\(tokens)", "\(blockPasses)",
      "residual stream \(NumberText.bytes(streamBytes)), in --work twice",
    ])
    if let layerLoss {
      table.add([
        "skipped layers", "\(layerLoss.tokens)", "\(layerLoss.blockPasses)",
        "\(layerLoss.runs) runs of layers, about \(NumberText.duration(layerLoss.estimatedSeconds))",
      ])
    }
    return table.text
  }

  /// One line, before it starts.
  static func text(_ losses: LayerLossMeasurement) throws -> String {
    "layer losses: \(losses.runCount) runs (lengths \(losses.lengths.map(String.init).joined(separator: ", "))) on"
      + " \(losses.tokenCount) tokens, \(losses.blockPasses) block passes, about"
      + " \(NumberText.duration(try losses.estimatedSeconds()))"
  }
}
