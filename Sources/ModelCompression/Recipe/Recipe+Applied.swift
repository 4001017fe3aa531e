internal import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
public import TensorFormats

extension Recipe {
  /// The checkpoint that this recipe makes of `parent`: lazy, with the record in it.
  ///
  /// The order: layers and indices are dropped, then weights take the place of others, then all is converted and quantized.
  /// - Parameter overlay: the weights that the recipe speaks of; needed if it has an `overlay`.
  public func applied(to parent: Checkpoint, overlay: WeightOverlay? = nil) throws -> Checkpoint {
    if let record = self.overlay, overlay == nil {
      throw CompressionError(
        .wrongOverlay, "the recipe puts \(record.weights.count) weights of '\(record.method)' in; give their file")
    }
    if self.overlay == nil, overlay != nil {
      throw CompressionError(.wrongOverlay, "the recipe knows nothing of the weights given")
    }
    return try steps(on: parent, overlay)
  }

  /// The same but for the weights that an overlay took the place of: these are as the parent has them.
  func appliedWithoutOverlay(to parent: Checkpoint) throws -> Checkpoint { try steps(on: parent, nil) }

  private func steps(on parent: Checkpoint, _ overlay: WeightOverlay?) throws -> Checkpoint {
    var result = parent
    if let pruning { result = try result.pruned(by: pruning) }
    if let overlay { result = try replacing(overlay, in: result) }
    let source = result
    if let elementFormat {
      result = result.converted(to: elementFormat, for: output)
    } else {
      result = result.fitted(for: output)
    }
    if let quantization { result = try result.quantized(by: quantization, from: source) }
    if let dialect { result = try result.converted(to: dialect) }
    // Names in the output come from the record, so that they are the same wherever the parent lies.
    result.path = self.parent.name
    result.recipe = try JSON(encoding: self)
    if changesNumbers { result.carriedFiles = try carriedFiles(of: parent, into: result) }
    return result
  }

  /// Whether the result is another model than its parent, and not only in another form.
  private var changesNumbers: Bool { pruning != nil || overlay != nil || quantization != nil }

  /// The parent's own card makes room for one that says what this model is.
  private func carriedFiles(of parent: Checkpoint, into result: Checkpoint) throws -> [CarriedFile] {
    var files = result.carriedFiles.filter { $0.name != CarriedFile.cardName && $0.name != CarriedFile.parentCardName }
    if let card = parent.carriedFiles.first(where: { $0.name == CarriedFile.cardName }) {
      files.append(CarriedFile(name: CarriedFile.parentCardName, bytes: try card.bytes()))
    }
    let card = try ModelCard(recipe: self, parent: parent, result: result).text()
    return files + [CarriedFile(name: CarriedFile.cardName, bytes: Array(card.utf8))]
  }

  /// New weights get the format of those they replace, codes and scales where these had them, unless a later step gives them one.
  private func replacing(_ overlay: WeightOverlay, in model: Checkpoint) throws -> Checkpoint {
    var result = try model.replacing(overlay)
    guard elementFormat == nil else { return result }
    let keys = Array(overlay.weights.keys).filter { quantization == nil || !$0.isQuantizable }
    let coded = keys.filter { model.weights[$0]?.scale != nil }
    if !coded.isEmpty { result = try quantizingAgain(coded, of: result, like: model) }
    for key in keys where !coded.contains(key) {
      let name = model.huggingFaceName(of: key)
      let values = result.weights[key]!.values
      result.weights[key] = Weight(values.converted(to: model.weights[key]!.format, name: name))
      result.weights[key]?.cacheScale = model.weights[key]?.cacheScale
    }
    return result
  }

  private func quantizingAgain(
    _ keys: [WeightKey], of replaced: Checkpoint, like model: Checkpoint
  ) throws -> Checkpoint {
    guard let layout = model.quantization, let scheme = QuantizationScheme(weightsOf: layout) else {
      throw CompressionError(
        .wrongOverlay,
        "tensor '\(model.huggingFaceName(of: keys[0]))' is codes of a layout that new values cannot be put into; "
          + "convert or quantize the model, too")
    }
    var result = try replaced.requantized(keys, by: scheme, from: replaced)
    for key in keys {
      result.weights[key]?.inputScale = model.weights[key]?.inputScale
      result.weights[key]?.cacheScale = model.weights[key]?.cacheScale
    }
    return result
  }
}

extension Recipe {
  /// Records what `overlay` puts in, once everything else of the recipe is decided.
  ///
  /// Reads the new weights twice: as they are, and as they will be written. With the hashes of the latter a file can be verified
  /// without the overlay.
  /// - Parameter report: what the method has to say, for a reader.
  /// - Throws: `wrongOverlay` for weights that were made for another cut.
  public mutating func record(_ overlay: WeightOverlay, for parent: Checkpoint, report: JSON? = nil) throws {
    try overlay.check(plan: pruning)
    self.overlay = OverlayRecord(
      method: overlay.settings.method, contentHash: try overlay.contentHash(), weights: [:], report: report)
    let made = try steps(on: parent, overlay)
    for key in overlay.weights.keys {
      self.overlay!.weights[made.huggingFaceName(of: key)] = try made.contentHash(of: key)
    }
  }

  /// Throws `wrongOverlay` for an overlay that is not the one recorded. Reads it.
  public func check(overlay: WeightOverlay) throws {
    guard let record = self.overlay else {
      throw CompressionError(.wrongOverlay, "the recipe knows nothing of the weights given")
    }
    let hash = try overlay.contentHash()
    guard hash == record.contentHash else {
      throw CompressionError(
        .wrongOverlay, "the weights given have content hash \(hash), the recipe was made with \(record.contentHash)")
    }
  }
}
