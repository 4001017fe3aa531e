internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import OrderedCollections
internal import TensorFormats

/// What was quantized, and what that cost each tensor.
struct QuantizeReport: Report {
  let input: String
  let output: String
  let family: String
  let scheme: QuantizationScheme.Kind
  let dialect: QuantizationDialect
  let ignored: [String]
  let inputBytes: Int
  let outputBytes: Int
  let quantizedTensors: Int
  let tensorCount: Int
  /// Nil for a dry run.
  let noise: QuantizationReport?

  private static let shownTensors = 5

  init(
    _ model: Checkpoint, _ quantized: Checkpoint, _ recipe: Recipe, to out: String, measured: QuantizationReport?
  ) throws {
    input = model.path
    output = out
    family = model.architecture.name
    scheme = recipe.quantization!.kind
    dialect = recipe.quantization!.dialect
    ignored = quantized.quantization?.ignored ?? []
    inputBytes = model.byteCount
    outputBytes = try quantized.byteCount(as: .huggingFace)
    quantizedTensors = quantized.weights.values.count { $0.scale != nil }
    tensorCount = quantized.weights.count
    noise = measured
  }

  var text: String {
    var table = TextTable([("", .left), ("model", .left), ("bytes", .right)])
    table.add(["from", input, NumberText.bytes(inputBytes)])
    table.add(["to", output, NumberText.bytes(outputBytes)])
    let title = "\(family), \(scheme.rawValue) as \(dialect.rawValue): \(quantizedTensors) of \(tensorCount) tensors"
    return ([title, table.text] + (noise.map(parts) ?? [])).joined(separator: "\n\n")
  }

  private func parts(_ noise: QuantizationReport) -> [String] {
    guard let mean = noise.meanSignalToNoise, let worst = noise.worstSignalToNoise else { return [] }
    let summary =
      "SQNR \(NumberText.fixed(mean, 2)) dB on average, \(NumberText.fixed(worst, 2)) dB at worst"
      + (noise.meanOutputSignalToNoise.map { ", of outputs \(NumberText.fixed($0, 2)) dB" } ?? "") + "; "
      + "\(NumberText.percent(noise.clippedShare, 4)) clipped, \(NumberText.percent(noise.zeroedShare, 4)) zeroed"
    return [summary, tensors(noise), rows(noise)]
  }

  private func tensors(_ noise: QuantizationReport) -> String {
    var table = TextTable([("worst tensors", .left), ("SQNR", .right), ("clipped", .right), ("zeroed", .right)])
    let worst = noise.tensors.sorted { ($0.signalToNoise ?? .infinity) < ($1.signalToNoise ?? .infinity) }
    for tensor in worst.prefix(Self.shownTensors) {
      table.add([
        tensor.name, tensor.signalToNoise.map { NumberText.fixed($0, 2) + " dB" } ?? "exact",
        NumberText.percent(tensor.clippedShare, 4), NumberText.percent(tensor.zeroedShare, 4),
      ])
    }
    return table.text
  }

  private func rows(_ noise: QuantizationReport) -> String {
    var table = TextTable([("worst rows", .left), ("row", .right), ("SQNR", .right)])
    for row in noise.worstRows.prefix(Self.shownTensors) {
      table.add([row.tensor, "\(row.row)", NumberText.fixed(row.signalToNoise, 2) + " dB"])
    }
    return table.text
  }
}
