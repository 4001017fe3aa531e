internal import GGUFFormat
internal import ModelArchitectures
internal import ModelTokenizers
internal import OrderedCollections
internal import TensorFormats

/// Opens a GGUF file, split or not, and gives its weights in Hugging Face orientation.
struct GGUFCheckpointReader {
  let path: String
  let files: GGUFFileSet

  init(path: String) throws {
    self.path = path
    files = try GGUFFileSet(path: path)
  }

  func checkpoint() throws -> Checkpoint {
    let reader = try GGUFMetadataReader(files)
    let architecture = reader.architecture
    var hyperparameters = try reader.hyperparameters()
    hyperparameters.rotary.scaling = try rotaryScaling(hyperparameters.rotary)
    var config = ModelConfig(architecture: architecture, hyperparameters: hyperparameters)
    if let (embedded, numbers) = try embeddedConfig(agreeingWith: hyperparameters, architecture) {
      (config, hyperparameters) = (embedded, numbers)
    } else {
      addTokenIDs(to: &config)
    }
    let weights = try weights(of: architecture, hyperparameters)
    return Checkpoint(
      path: path, fileFormat: .gguf, architecture: architecture, hyperparameters: hyperparameters, config: config,
      generationConfig: try generationConfig(), weights: weights, carriedFiles: carriedFiles(),
      ggufMetadata: files.metadata, recipe: try recipe(), warnings: [])
  }

  // MARK: Weights

  private func weights(
    of architecture: Architecture, _ hyperparameters: Hyperparameters
  ) throws -> OrderedDictionary<WeightKey, Weight> {
    var weights: OrderedDictionary<WeightKey, Weight> = [:]
    var used: Set<String> = [GGUFKeys.rotaryFactors]
    for (key, spec) in architecture.weights(for: hyperparameters) {
      let name = spec.ggufName(layer: key.layer)
      let stored = try tensor(name, shape: spec.shape(in: hyperparameters))
      weights[key] = Weight(inverse(spec.transform, stored, name, hyperparameters))
      used.insert(name)
    }
    for entry in files.tensors where !used.contains(entry.name) {
      throw CheckpointError(
        .unknownTensor, "tensor '\(entry.name)' \(entry.info.shape) is not part of family '\(architecture.name)'")
    }
    return weights
  }

  private func tensor(_ name: String, shape: [Int]) throws -> LazyTensor {
    guard let entry = files[name] else { throw CheckpointError(.missingTensor, "tensor '\(name)' is missing") }
    guard entry.info.shape == shape else {
      throw CheckpointError(.wrongShape, "tensor '\(name)' has shape \(entry.info.shape), the metadata says \(shape)")
    }
    guard entry.info.format.codec != nil else {
      throw CheckpointError(.wrongFormat, "tensor '\(name)' is \(entry.info.format), which cannot be decoded yet")
    }
    return try files.tensor(entry)
  }

  private func inverse(
    _ transform: GGUFTransform, _ stored: LazyTensor, _ name: String, _ model: Hyperparameters
  ) -> LazyTensor {
    switch transform {
    case .identity: return stored
    case .addOne:
      let originals = files.metadata[GGUFKeys.exactValues(name)]?.floats ?? []
      return LazyTensor(
        format: .f32, shape: stored.shape, source: RestoredOffset(stored: stored, originals: originals))
    case .interleaveRotary(let heads):
      // The bias of a projection is moved element by element, which blocks do not allow.
      let elements = stored.shape.count == 1 && stored.format.blockElements > 1
      let base = elements ? stored.converted(to: .f32, name: name) : stored
      return base.gatheringRows(
        RotaryRowOrder.toHuggingFace(heads: model.size(of: heads), headDimension: model.headDimension))
    }
  }

  private func rotaryScaling(_ rotary: Rotary) throws -> RotaryScaling {
    guard let entry = files[GGUFKeys.rotaryFactors] else { return rotary.scaling }
    let table = try files.tensor(entry).decoded()
    guard let scaling = RotaryFactorFit.fit(table, base: rotary.base, dimension: rotary.dimension) else {
      throw CheckpointError(.unsupportedFeature, "'\(GGUFKeys.rotaryFactors)' is not a Llama 3 scaling table")
    }
    return scaling
  }

  // MARK: Configuration

  /// The `config.json` that was written into the file, if it still says what the metadata says.
  private func embeddedConfig(
    agreeingWith stated: Hyperparameters, _ architecture: Architecture
  ) throws -> (ModelConfig, Hyperparameters)? {
    guard let text = files.metadata[GGUFKeys.file("config.json")]?.rawString,
      let config = try? ModelConfig(parsing: text.bytes, name: "config.json"),
      let reader = try? ConfigReader(config), reader.architecture.name == architecture.name,
      let numbers = try? reader.hyperparameters()
    else { return nil }
    let agrees = architecture.configFields.filter { $0.gguf != nil }.allSatisfy {
      let (a, b) = ($0.value.json(in: numbers), $0.value.json(in: stated))
      return a.meansSame(as: b) || a.double.map(Float.init) == b.double.map(Float.init)
    }
    let sameBase = Float(numbers.rotary.base) == Float(stated.rotary.base)
    let sameRotary = sameBase && numbers.rotary.dimension == stated.rotary.dimension
    let sameScaling = zip(numbers.rotary.frequencyDivisors, stated.rotary.frequencyDivisors).allSatisfy {
      abs($0 - $1) <= RotaryFactorFit.tolerance * $1
    }
    return agrees && sameRotary && sameScaling && numbers.tiesHead == stated.tiesHead ? (config, numbers) : nil
  }

  private static let tokenKeys = [
    ("bos_token_id", "tokenizer.ggml.bos_token_id"), ("eos_token_id", "tokenizer.ggml.eos_token_id"),
    ("pad_token_id", "tokenizer.ggml.padding_token_id"),
  ]

  private func addTokenIDs(to config: inout ModelConfig) {
    for (key, gguf) in Self.tokenKeys {
      config.object[key] = files.metadata[gguf]?.int.map { .int($0) }
    }
    config.object.sort { $0.key < $1.key }
  }

  private func generationConfig() throws -> ModelConfig? {
    let name = "generation_config.json"
    if let text = files.metadata[GGUFKeys.file(name)]?.rawString {
      return try ModelConfig(parsing: text.bytes, name: name)
    }
    // A model that came from a directory without this file has none on the way back.
    if files.metadata[GGUFKeys.file("config.json")] != nil { return nil }
    var object: JSONObject = ["_from_model_config": true]
    for (key, gguf) in Self.tokenKeys { object[key] = files.metadata[gguf]?.int.map { .int($0) } }
    return ModelConfig(object)
  }

  private func recipe() throws -> JSON? {
    guard let text = files.metadata[GGUFKeys.recipe]?.rawString else { return nil }
    return try JSON(parsing: text.bytes, file: GGUFKeys.recipe)
  }

  /// Files that were written into the metadata, other than the configuration.
  private func carriedFiles() -> [CarriedFile] {
    var result: [CarriedFile] = []
    for (key, value) in files.metadata {
      guard let bytes = value.rawString?.bytes else { continue }
      if key == GGUFKeys.tokenizerJSON { result.append(CarriedFile(name: "tokenizer.json", bytes: bytes)) }
      guard key.hasPrefix(GGUFKeys.filePrefix) else { continue }
      let name = String(key.dropFirst(GGUFKeys.filePrefix.count))
      if CarriedFile.isCarried(name) { result.append(CarriedFile(name: name, bytes: bytes)) }
    }
    return result
  }
}

extension GGUFFileSet {
  func tensor(_ entry: GGUFEntry) throws -> LazyTensor {
    let info = entry.info
    let owner = file(of: entry)
    if owner.isBigEndian { throw CheckpointError(.unsupportedFeature, "big-endian tensor data is not supported") }
    let rowBytes = info.rowCount == 0 ? 0 : entry.range.count / info.rowCount
    return LazyTensor(
      format: info.format, shape: info.shape,
      source: MappedTensor(file: owner.file, range: entry.range, rowByteCount: rowBytes))
  }
}
