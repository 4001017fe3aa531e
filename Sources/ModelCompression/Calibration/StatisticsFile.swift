internal import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

/// Activation statistics in a safetensors file, so that plans are made again without running the model.
///
/// Tensors, F64 unless something else is said. Of every site of every layer, such as `layers.3.feedForwardInner`, and of
/// `finalHidden`, by channel: `….mean.sum`, `….mean.squares` and so on for each aggregate; `….total`, the sum of values;
/// `….maximum` (F32); `….histogram` (I64), see `MagnitudeHistogram`; `….counts` (I64): sequences, tokens. Of the layers `blockInfluence` and
/// `layers.3.angularDistances`; where layers were skipped `layerLosses.whole` (loss, tokens) and `layerLosses.4`, the losses without
/// each run of four, by its first layer. What was measured stands in the metadata under `mtconv.calibration`, as JSON.
public struct StatisticsFile: Sendable, Equatable {
  public var settings: Settings
  public var statistics: ActivationStatistics

  static let metadataKey = "mtconv.calibration"

  public init(settings: Settings, statistics: ActivationStatistics) {
    self.settings = settings
    self.statistics = statistics
  }

  /// Throws `wrongStatistics` if they are of another model, or of other weights. Reads the whole model once to know.
  public func check(
    against checkpoint: Checkpoint, progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    let (a, b) = (settings.model, Recipe.Parent(checkpoint))
    guard (a.family, a.layerCount, a.parameterCount) == (b.family, b.layerCount, b.parameterCount) else {
      throw CompressionError(
        .wrongStatistics,
        "the statistics are of a \(a.family) with \(a.layerCount) layers and \(a.parameterCount) parameters,"
          + " the model is a \(b.family) with \(b.layerCount) and \(b.parameterCount)")
    }
    try statistics.checkWidths(checkpoint)
    let hash = try checkpoint.contentHash(progress: progress)
    guard hash == settings.modelHash else {
      throw CompressionError(
        .wrongStatistics,
        "the statistics are of other weights (hash \(settings.modelHash.short)) than the model's (hash \(hash.short))")
    }
  }

  /// Writes the file; it appears under its name when it is complete.
  public func write(to path: String, overwrite: Bool = false) throws {
    var tensors = NumberTensors()
    for (layer, sites) in statistics.layers.enumerated() {
      tensors.add(sites, layer: layer)
      tensors.add(statistics.angularDistances[layer], Self.distancesName(layer))
    }
    tensors.add(statistics.finalHidden, Site.finalHidden.rawValue)
    tensors.add(statistics.influence.scores, Self.influenceName)
    if let losses = statistics.layerLosses {
      tensors.add([losses.baseline, Double(losses.tokenCount)], Self.lossesName())
      for length in losses.lengths { tensors.add(losses.losses(skipping: length) ?? [], Self.lossesName(length)) }
    }
    let metadata: OrderedDictionary = [Self.metadataKey: try JSON(encoding: settings).serialized()]
    try tensors.write(to: path, metadata: metadata, overwrite: overwrite)
  }

  static let influenceName = "blockInfluence"
  static func distancesName(_ layer: Int) -> String { "layers.\(layer).angularDistances" }
  static func lossesName(_ length: Int? = nil) -> String { "layerLosses." + (length.map(String.init) ?? "whole") }
}

extension ActivationStatistics {
  /// Throws unless there are statistics of every site that the model has, as wide as the model is.
  fileprivate func checkWidths(_ checkpoint: Checkpoint) throws {
    let sizes = checkpoint.hyperparameters
    for (layer, steps) in checkpoint.architecture.program(for: sizes).blocks.enumerated() {
      let written = Set(steps.map(\.output))
      for site in Self.sites where written.contains(site) {
        try Self.check(layers[layer][site], Self.width(of: site, sizes), "\(site.rawValue) of layer \(layer)")
      }
    }
    try Self.check(finalHidden, Self.width(of: .finalHidden, sizes), Site.finalHidden.rawValue)
  }

  private static func check(_ channels: ChannelStatistics?, _ width: Int?, _ place: String) throws {
    guard channels?.channelCount == width else {
      throw CompressionError(
        .wrongStatistics,
        "the statistics have \(channels?.channelCount ?? 0) channels of \(place), the model has \(width ?? 0)")
    }
  }
}
