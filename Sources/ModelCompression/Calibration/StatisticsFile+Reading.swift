internal import ModelArchitectures
internal import ModelCheckpoints
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

extension StatisticsFile {
  /// Reads a file that `write` wrote.
  /// - Throws: `CompressionError.wrongStatistics` that says what is not as it was written, and `SafetensorsError`.
  public init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    let settings = try Self.settings(of: file)
    let layerCount = settings.model.layerCount
    let reader = NumberReader(file: file)
    // Before anything is made for a number of layers that the file only claims to have.
    guard layerCount > 0, layerCount <= file.tensors.count else {
      throw CompressionError(.wrongStatistics, "'\(path)' has \(file.tensors.count) tensors for \(layerCount) layers")
    }
    guard let finalHidden = try reader.channels(Site.finalHidden.rawValue) else {
      throw CompressionError(.wrongStatistics, "'\(path)' has no statistics of the last norm")
    }
    let influence = try reader.numbers(Self.influenceName, count: layerCount)
    let statistics = ActivationStatistics(
      layers: try (0..<layerCount).map { try reader.sites(layer: $0) }, finalHidden: finalHidden,
      influence: BlockInfluence(scores: influence, tokenCount: settings.tokens),
      angularDistances: try (0..<layerCount).map {
        try reader.numbers(Self.distancesName($0), count: layerCount - $0)
      },
      layerLosses: try Self.layerLosses(reader, layerCount: layerCount), tokenCount: settings.tokens,
      sequenceCount: settings.sequences)
    self.init(settings: settings, statistics: statistics)
  }

  private static func settings(of file: SafetensorsFile) throws -> Settings {
    guard let text = file.metadata[metadataKey] else {
      throw CompressionError(.wrongStatistics, "'\(file.file.path)' holds no calibration statistics")
    }
    do {
      let settings: Settings = try JSON(parsing: text).decoded()
      guard settings.tokens > 0, settings.sequences > 0 else {
        throw CompressionError(
          .wrongStatistics, "statistics of \(settings.tokens) tokens in \(settings.sequences) sequences")
      }
      return settings
    } catch {
      throw CompressionError(
        .wrongStatistics, "'\(metadataKey)' of '\(file.file.path)' cannot be read: \(decodingMessage(error))")
    }
  }

  /// Nil if no layers were skipped.
  private static func layerLosses(_ reader: NumberReader, layerCount: Int) throws -> LayerLosses? {
    guard reader.contains(lossesName()) else { return nil }
    let whole = try reader.numbers(lossesName(), count: 2)
    guard let tokens = Int(exactly: whole[1]), tokens > 0 else {
      throw CompressionError(
        .wrongStatistics, "tensor '\(lossesName())' of '\(reader.path)' has \(whole[1]) tokens")
    }
    var losses: [Int: [Double]] = [:]
    for length in 1..<max(layerCount, 2) where reader.contains(lossesName(length)) {
      losses[length] = try reader.numbers(lossesName(length), count: layerCount - length + 1)
    }
    return LayerLosses(baseline: whole[0], tokenCount: tokens, losses: losses)
  }
}
