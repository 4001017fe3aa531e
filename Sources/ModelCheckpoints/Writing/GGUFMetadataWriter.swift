internal import GGUFFormat
internal import ModelArchitectures
internal import ModelTokenizers
internal import OrderedCollections
internal import TensorFormats

/// Builds the metadata of a GGUF file from a checkpoint, in the order llama.cpp's converter writes it.
struct GGUFMetadataWriter {
  let checkpoint: Checkpoint
  private let mainFormat: ElementFormat
  private var model: Hyperparameters { checkpoint.hyperparameters }
  private var architecture: Architecture { checkpoint.architecture }

  init(_ checkpoint: Checkpoint) {
    self.checkpoint = checkpoint
    mainFormat = checkpoint.mainFormat
  }

  func metadata() throws -> OrderedDictionary<String, GGUFValue> {
    var result = general()
    result.merge(try origin(result)) { $1 }
    for field in architecture.configFields {
      guard let key = field.gguf, let value = ggufValue(field.value) else { continue }
      result[architecture.ggufName + "." + key] = value
    }
    result.merge(rotary()) { $1 }
    result.merge(try tokenizer()) { $1 }
    result.merge(try embeddedFiles()) { $1 }
    if let type = Self.fileTypes[mainFormat] { result["general.file_type"] = .uint32(type) }
    result["general.quantization_version"] = .uint32(2)
    return result
  }

  /// LLAMA_FTYPE of llama.h.
  private static let fileTypes: [ElementFormat: UInt32] = [
    .f32: 0, .f16: 1, .q4_0: 2, .q4_1: 3, .q8_0: 7, .bf16: 32,
  ]

  private func general() -> OrderedDictionary<String, GGUFValue> {
    var result: OrderedDictionary<String, GGUFValue> = [
      "general.architecture": GGUFValue(architecture.ggufName),
      "general.type": GGUFValue("model"),
    ]
    for (key, value) in checkpoint.ggufMetadata where key.hasPrefix("general.") {
      if !["general.file_type", "general.quantization_version", "general.alignment"].contains(key) {
        result[key] = value
      }
    }
    if result["general.name"] == nil {
      let path = checkpoint.config["_name_or_path"]?.string ?? checkpoint.path
      result["general.name"] = GGUFValue(FileSystem.baseName(path))
    }
    result["general.size_label"] = GGUFValue(Self.sizeLabel(checkpoint.parameterCount))
    return result
  }

  private static func isEmbedded(_ name: String) -> Bool {
    [".json", ".jinja", ".md"].contains(where: name.hasSuffix) || CarriedFile.isLicence(name)
  }

  /// Licence and origin as the model card states them, where the source's own metadata does not.
  private func origin(_ metadata: OrderedDictionary<String, GGUFValue>) throws -> OrderedDictionary<String, GGUFValue> {
    guard let card = checkpoint.carriedFiles.first(where: { $0.name == CarriedFile.cardName }) else { return [:] }
    let matter = try CardFrontMatter(card.bytes())
    var result: OrderedDictionary<String, GGUFValue> = [:]
    let keys = [("license", "license"), ("license_name", "license.name"), ("license_link", "license.link")]
    for (key, name) in keys where metadata["general.license"] == nil {
      if let value = matter.scalar(key) { result["general.\(name)"] = GGUFValue(value) }
    }
    if let base = matter.scalar("base_model"), metadata["general.base_model.count"] == nil {
      let parts = base.split(separator: "/")
      result["general.base_model.count"] = .uint32(1)
      result["general.base_model.0.name"] = GGUFValue(String(parts.last ?? ""))
      if parts.count == 2 {
        result["general.base_model.0.organization"] = GGUFValue(String(parts[0]))
        result["general.base_model.0.repo_url"] = GGUFValue("https://huggingface.co/\(base)")
      }
    }
    return result
  }

  private static func sizeLabel(_ count: Int) -> String {
    if count >= 10_000_000_000 { return "\((count + 500_000_000) / 1_000_000_000)B" }
    if count >= 1_000_000_000 {
      let tenths = (count + 50_000_000) / 100_000_000
      return "\(tenths / 10).\(tenths % 10)B"
    }
    if count >= 1_000_000 { return "\((count + 500_000) / 1_000_000)M" }
    return "\((count + 500) / 1000)K"
  }

  private func ggufValue(_ value: ConfigField.Value) -> GGUFValue? {
    switch value {
    case .int(let path): .uint32(UInt32(model[keyPath: path]))
    case .double(let path): .float32(Float(model[keyPath: path]))
    case .optionalInt(let path): model[keyPath: path].map { .uint32(UInt32($0)) }
    case .optionalDouble(let path): model[keyPath: path].map { .float32(Float($0)) }
    case .bool: nil
    }
  }

  private func rotary() -> OrderedDictionary<String, GGUFValue> {
    let prefix = architecture.ggufName
    var result: OrderedDictionary<String, GGUFValue> = [
      "\(prefix).attention.value_length": .uint32(UInt32(model.headDimension)),
      "\(prefix).rope.dimension_count": .uint32(UInt32(model.rotary.dimension)),
      "\(prefix).rope.freq_base": .float32(Float(model.rotary.base)),
    ]
    if case .linear(let factor) = model.rotary.scaling {
      result["\(prefix).rope.scaling.type"] = GGUFValue("linear")
      result["\(prefix).rope.scaling.factor"] = .float32(Float(factor))
    }
    return result
  }

  /// Tokenizers of before tokenizer.json.
  private static let vocabularyFiles = ["tokenizer.model", "spiece.model", "vocab.json", "vocab.txt", "merges.txt"]

  private func tokenizer() throws -> OrderedDictionary<String, GGUFValue> {
    // From GGUF to GGUF the source's own keys pass through, tokenizers that this package cannot run included.
    let own = checkpoint.ggufMetadata.filter { $0.key.hasPrefix("tokenizer.") }
    if !own.isEmpty { return own }
    guard let description = try checkpoint.ggufTokenizerDescription() else {
      let files = checkpoint.carriedFiles.map(\.name)
      if let name = Self.vocabularyFiles.first(where: files.contains) {
        throw CheckpointError(
          .notExpressible,
          "the tokenizer stands in '\(name)', which cannot be written as GGUF; expected a tokenizer.json, as "
            + "transformers saves it")
      }
      return ["tokenizer.ggml.model": GGUFValue("none")]
    }
    return try description.ggufMetadata(vocabularySize: model.vocabularySize)
  }

  /// What GGUF's own keys cannot say: the configuration and tokenizer files themselves, so that the way back loses nothing.
  private func embeddedFiles() throws -> OrderedDictionary<String, GGUFValue> {
    var result: OrderedDictionary<String, GGUFValue> = [:]
    func embed(_ name: String, _ bytes: [UInt8]) {
      let key = name == "tokenizer.json" ? GGUFKeys.tokenizerJSON : GGUFKeys.file(name)
      result[key] = .string(GGUFString(bytes: bytes))
    }
    // Configurations made up from GGUF metadata say nothing new.
    if checkpoint.fileFormat == .huggingFace || checkpoint.ggufMetadata[GGUFKeys.file("config.json")] != nil {
      var config = checkpoint.config
      // A GGUF file holds values, whatever codes they were read from.
      config.object["quantization_config"] = nil
      embed("config.json", config.bytes)
      if let generationConfig = checkpoint.generationConfig { embed("generation_config.json", generationConfig.bytes) }
    }
    for file in checkpoint.carriedFiles where Self.isEmbedded(file.name) { embed(file.name, try file.bytes()) }
    if let recipe = checkpoint.recipe { result[GGUFKeys.recipe] = GGUFValue(recipe.serialized()) }
    return result
  }
}
