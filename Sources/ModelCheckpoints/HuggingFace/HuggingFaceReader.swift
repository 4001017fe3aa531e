internal import GGUFFormat
internal import ModelArchitectures
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

/// Opens a directory of safetensors with a `config.json`.
struct HuggingFaceReader {
  let directory: String
  /// Looked for when the configuration is understood.
  let weights: () throws -> WeightFiles

  func checkpoint() throws -> Checkpoint {
    var config = try ModelConfig(parsing: file("config.json"), name: "config.json")
    let reader = try ConfigReader(config)
    var hyperparameters = try reader.hyperparameters()
    let architecture = reader.architecture
    let layout = try QuantizationLayout(config: config, modelOptConfig: modelOptConfig())
    let files = try SafetensorsFileSet(path: weights().path)
    let hasOwnHead = try hyperparameters.tiesHead && files.hasHeadOfItsOwn(architecture)
    if hasOwnHead {
      hyperparameters.tiesHead = false
      config.object["tie_word_embeddings"] = false
    }
    var table = WeightTable(files: files, hyperparameters: hyperparameters, layout: layout)
    let tensors = try table.weights(of: architecture)
    try table.refuseUnknown(architecture: architecture)
    var checkpoint = Checkpoint(
      path: directory, fileFormat: .huggingFace, architecture: architecture, hyperparameters: hyperparameters,
      config: config, generationConfig: try generationConfig(), weights: tensors, quantization: table.layoutOfScales,
      carriedFiles: try carriedFiles(),
      ggufMetadata: [:], recipe: try recipe(), warnings: table.warnings)
    if hasOwnHead {
      checkpoint.warnings.append(
        "the configuration ties the head to the embeddings, and lm_head.weight has other values: both are used, as in transformers"
      )
    }
    checkpoint.warnings += checkpoint.quantizationWarnings()
    return checkpoint
  }

  private func file(_ name: String) throws -> [UInt8] {
    let path = FileSystem.join(directory, name)
    guard FileSystem.kind(of: path) == .file else {
      throw CheckpointError(.notFound, "'\(directory)' has no \(name)")
    }
    return try FileSystem.read(path, limit: CarriedFile.limit)
  }

  private func generationConfig() throws -> ModelConfig? {
    let name = "generation_config.json"
    guard FileSystem.exists(FileSystem.join(directory, name)) else { return nil }
    return try ModelConfig(parsing: file(name), name: name)
  }

  private func modelOptConfig() throws -> ModelConfig? {
    let name = QuantizationLayout.modelOptFileName
    guard FileSystem.exists(FileSystem.join(directory, name)) else { return nil }
    return try ModelConfig(parsing: file(name), name: name)
  }

  private func recipe() throws -> JSON? {
    let name = CarriedFile.recipeName
    guard FileSystem.exists(FileSystem.join(directory, name)) else { return nil }
    return try JSON(parsing: file(name), file: name)
  }

  private func carriedFiles() throws -> [CarriedFile] {
    let templates = FileSystem.join(directory, CarriedFile.templateFolder)
    let named = FileSystem.kind(of: templates) == .directory ? try FileSystem.names(in: templates) : []
    let names = try FileSystem.names(in: directory) + named.map { FileSystem.join(CarriedFile.templateFolder, $0) }
    return names.compactMap { name in
      let path = FileSystem.join(directory, name)
      guard CarriedFile.isCarried(name), FileSystem.kind(of: path) == .file else { return nil }
      return CarriedFile(name: name, path: path)
    }
  }
}
