internal import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

/// Activation statistics in a safetensors file, so that plans are made again without running the model.
///
/// Tensors, all F64 but the maxima (F32): `layers.3.feedForwardInner.mean.sum`, `….mean.squares` and so on for each aggregate,
/// `….maximum`, `….counts` (sequences, tokens); `finalHidden.…`; `blockInfluence`; `layers.3.angularDistances`; where layers were
/// skipped `layerLosses.whole` (loss, tokens) and `layerLosses.4` for the runs of four layers, by their first. What was measured
/// stands in the metadata under `mtconv.calibration`, as JSON.
public struct StatisticsFile: Sendable, Equatable {
  public var settings: Settings
  public var statistics: ActivationStatistics

  /// What the statistics are of.
  public struct Settings: Sendable, Codable, Equatable {
    public var tool = "mtconv \(Recipe.version)"
    public var model: Recipe.Parent
    /// The text's name, without its folder.
    public var text: String
    public var context: Int
    public var sequences: Int
    public var tokens: Int

    public init(model: Recipe.Parent, text: String, context: Int, sequences: Int, tokens: Int) {
      self.model = model
      self.text = text
      self.context = context
      self.sequences = sequences
      self.tokens = tokens
    }
  }

  private static let metadataKey = "mtconv.calibration"

  public init(settings: Settings, statistics: ActivationStatistics) {
    self.settings = settings
    self.statistics = statistics
  }

  /// Throws `wrongStatistics` if they are of another model, as far as sizes tell.
  public func check(against checkpoint: Checkpoint) throws {
    let (a, b) = (settings.model, Recipe.Parent(checkpoint))
    guard (a.family, a.layerCount, a.parameterCount) == (b.family, b.layerCount, b.parameterCount) else {
      throw CompressionError(
        .wrongStatistics,
        "the statistics are of a \(a.family) with \(a.layerCount) layers and \(a.parameterCount) parameters,"
          + " the model is a \(b.family) with \(b.layerCount) and \(b.parameterCount)")
    }
  }

  // MARK: Writing

  /// Writes the file; it appears under its name when it is complete.
  public func write(to path: String, overwrite: Bool = false) throws {
    var tensors = NumberTensors()
    for (layer, sites) in statistics.layers.enumerated() {
      for (site, channels) in sites { tensors.add(channels, "layers.\(layer).\(site.rawValue)") }
      tensors.add(statistics.angularDistances[layer], "layers.\(layer).angularDistances")
    }
    tensors.add(statistics.finalHidden, Site.finalHidden.rawValue)
    tensors.add(statistics.influence.scores, "blockInfluence")
    if let losses = statistics.layerLosses {
      tensors.add([losses.baseline, Double(losses.tokenCount)], "layerLosses.whole")
      for length in losses.lengths { tensors.add(losses.losses(skipping: length) ?? [], "layerLosses.\(length)") }
    }
    let writer = try SafetensorsWriter(
      tensors: tensors.infos, metadata: [Self.metadataKey: JSON(encoding: settings).serialized()])
    let output = try OutputFile(path: path, overwrite: overwrite, expectedSize: writer.fileSize)
    try writer.write(to: output) { info, sink in try tensors.bytes[info.name]!.withUnsafeBytes { try sink($0) } }
    try output.commit()
  }

  // MARK: Reading

  /// Reads a file that `write` wrote.
  public init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    guard let text = file.metadata[Self.metadataKey] else {
      throw CompressionError(.wrongStatistics, "'\(path)' holds no calibration statistics")
    }
    settings = try JSON(parsing: text).decoded()
    let layerCount = settings.model.layerCount
    let reader = NumberReader(file: file)
    let layers = try (0..<layerCount).map { layer in
      var sites: [Site: ChannelStatistics] = [:]
      for site in ActivationStatistics.sites { sites[site] = try reader.channels("layers.\(layer).\(site.rawValue)") }
      return sites
    }
    guard let finalHidden = try reader.channels(Site.finalHidden.rawValue) else {
      throw CompressionError(.wrongStatistics, "'\(path)' has no statistics of the last norm")
    }
    statistics = ActivationStatistics(
      layers: layers, finalHidden: finalHidden,
      influence: BlockInfluence(scores: try reader.numbers("blockInfluence"), tokenCount: settings.tokens),
      angularDistances: try (0..<layerCount).map { try reader.numbers("layers.\($0).angularDistances") },
      layerLosses: try reader.layerLosses(layerCount: layerCount), tokenCount: settings.tokens,
      sequenceCount: settings.sequences)
    guard statistics.influence.scores.count == layerCount else {
      throw CompressionError(
        .wrongStatistics, "'\(path)' has \(statistics.influence.scores.count) block influences for \(layerCount) layers"
      )
    }
  }
}

/// Tensors to be written.
private struct NumberTensors {
  var infos: [TensorInfo] = []
  var bytes: [String: [UInt8]] = [:]

  mutating func add(_ values: [Double], _ name: String) {
    add(name, .f64, values.count, values.map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) })
  }

  mutating func add(_ channels: ChannelStatistics, _ name: String) {
    for aggregate in Aggregate.allCases {
      add(channels.sums[aggregate]!, "\(name).\(aggregate.rawValue).sum")
      add(channels.squares[aggregate]!, "\(name).\(aggregate.rawValue).squares")
    }
    let maxima = channels.maxima.map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) }
    add("\(name).maximum", .f32, channels.channelCount, maxima)
    add([Double(channels.sequenceCount), Double(channels.tokenCount)], "\(name).counts")
  }

  private mutating func add(_ name: String, _ format: ElementFormat, _ count: Int, _ data: [UInt8]) {
    infos.append(TensorInfo(name: name, format: format, shape: [count]))
    bytes[name] = data
  }
}

private struct NumberReader {
  let file: SafetensorsFile

  func numbers(_ name: String) throws -> [Double] {
    let entry = try file.entry(name)
    guard entry.info.format == .f64, entry.info.shape.count == 1 else {
      throw CompressionError(
        .wrongStatistics, "tensor '\(name)' is \(entry.info.format) \(entry.info.shape), expected F64 [n]")
    }
    return file.withBytes(of: entry) { bytes in
      (0..<entry.info.shape[0]).map {
        Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)))
      }
    }
  }

  /// Nil if no layers were skipped.
  func layerLosses(layerCount: Int) throws -> LayerLosses? {
    guard file["layerLosses.whole"] != nil else { return nil }
    let whole = try numbers("layerLosses.whole")
    guard whole.count == 2, let tokens = Int(exactly: whole[1]) else {
      throw CompressionError(.wrongStatistics, "tensor 'layerLosses.whole' is not a loss and a number of tokens")
    }
    var losses: [Int: [Double]] = [:]
    for length in 1..<max(layerCount, 2) where file["layerLosses.\(length)"] != nil {
      let row = try numbers("layerLosses.\(length)")
      guard row.count == layerCount - length + 1 else {
        throw CompressionError(
          .wrongStatistics,
          "tensor 'layerLosses.\(length)' has \(row.count) losses, expected \(layerCount - length + 1)")
      }
      losses[length] = row
    }
    return LayerLosses(baseline: whole[0], tokenCount: tokens, losses: losses)
  }

  /// Statistics of a site; nil if the model has no such site.
  func channels(_ name: String) throws -> ChannelStatistics? {
    guard let maximum = file["\(name).maximum"] else { return nil }
    let counts = try numbers("\(name).counts")
    let channelCount = maximum.info.shape.reduce(1, *)
    var sums: [Aggregate: [Double]] = [:]
    var squares: [Aggregate: [Double]] = [:]
    for aggregate in Aggregate.allCases {
      sums[aggregate] = try numbers("\(name).\(aggregate.rawValue).sum")
      squares[aggregate] = try numbers("\(name).\(aggregate.rawValue).squares")
    }
    let agrees = (Array(sums.values) + Array(squares.values)).allSatisfy { $0.count == channelCount }
    guard agrees, counts.count == 2, maximum.info.format == .f32,
      let sequences = Int(exactly: counts[0]), let tokens = Int(exactly: counts[1])
    else { throw CompressionError(.wrongStatistics, "statistics of '\(name)' do not fit together") }
    let maxima = file.withBytes(of: maximum) { bytes in
      (0..<channelCount).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
      }
    }
    return ChannelStatistics(
      sequenceCount: sequences, tokenCount: tokens, sums: sums, squares: squares, maxima: maxima)
  }
}
