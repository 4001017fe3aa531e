internal import GGUFFormat
public import ModelTokenizers
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// The tokenizer as its files or the GGUF metadata describe it; nil for a model without one.
  public func tokenizerDescription() throws -> TokenizerDescription? {
    if let file = carriedFiles.first(where: { $0.name == "tokenizer.json" }) {
      return try TokenizerDescription(
        tokenizerJSON: JSON(parsing: file.bytes(), file: file.name), configJSON: tokenizerConfig())
    }
    guard let model = ggufMetadata["tokenizer.ggml.model"]?.string, model != "none" else { return nil }
    return try TokenizerDescription(ggufModel: model, metadata: ggufMetadata)
  }

  /// A tokenizer ready to run. Throws `noTokenizer` for a model without one.
  public func tokenizer() throws -> Tokenizer {
    guard let description = try tokenizerDescription() else {
      throw CheckpointError(
        .noTokenizer, "'\(path)' has no tokenizer.json or tokenizer metadata; give token ids instead")
    }
    return try Tokenizer(description)
  }

  /// The tokenizer as GGUF states it: special tokens that no tokenizer file names have the ids of the configuration, as gguf-py finds
  /// them. To transformers, and so to everything else here, there are none.
  func ggufTokenizerDescription() throws -> TokenizerDescription? {
    guard var result = try tokenizerDescription() else { return nil }
    func id(_ name: String) -> Int? {
      let value = config["\(name)_token_id"] ?? generationConfig?["\(name)_token_id"]
      return (value?.array?.first ?? value)?.int.flatMap { result.tokens.indices.contains($0) ? $0 : nil }
    }
    result.beginningToken = result.beginningToken ?? id("bos")
    result.endToken = result.endToken ?? id("eos")
    result.unknownToken = result.unknownToken ?? id("unk")
    result.paddingToken = result.paddingToken ?? id("pad")
    return result
  }

  /// tokenizer_config.json with what other files say: special tokens that it does not name, and chat templates in files of their own,
  /// which go before.
  private func tokenizerConfig() throws -> JSON {
    func object(_ name: String) throws -> JSONObject {
      guard let file = carriedFiles.first(where: { $0.name == name }) else { return [:] }
      return try JSON(parsing: file.bytes(), file: name).object ?? [:]
    }
    var config = try object("tokenizer_config.json")
    let map = try object("special_tokens_map.json")
    for key in ["bos_token", "eos_token", "unk_token", "pad_token"] where config[key]?.isNull ?? true {
      config[key] = map[key]
    }
    let templates = try chatTemplateFiles()
    if !templates.isEmpty { config["chat_template"] = .array(templates) }
    return .object(config)
  }

  /// As tokenizer_config.json would list them.
  private func chatTemplateFiles() throws -> [JSON] {
    try carriedFiles.compactMap { file in
      guard let name = file.chatTemplateName else { return nil }
      return ["name": .string(name), "template": .string(String(decoding: try file.bytes(), as: UTF8.self))]
    }
  }
}

extension TokenizerDescription {
  /// Reads the `tokenizer.*` keys of a GGUF file.
  init(ggufModel model: String, metadata: OrderedDictionary<String, GGUFValue>) throws {
    func key(_ name: String) -> GGUFValue? { metadata["tokenizer.ggml.\(name)"] }
    guard let tokens = key("tokens")?.rawStrings else {
      throw CheckpointError(.noTokenizer, "GGUF metadata has no 'tokenizer.ggml.tokens'")
    }
    try self.init(
      ggufModel: model, pre: key("pre")?.string, tokens: tokens.map(\.description),
      types: key("token_type")?.ints?.map { Int32(truncatingIfNeeded: $0) },
      merges: key("merges")?.rawStrings?.map(\.description), scores: key("scores")?.floats,
      beginningToken: key("bos_token_id")?.int, endToken: key("eos_token_id")?.int,
      unknownToken: key("unknown_token_id")?.int, paddingToken: key("padding_token_id")?.int,
      addsBeginning: key("add_bos_token")?.bool, addsEnd: key("add_eos_token")?.bool,
      chatTemplate: metadata["tokenizer.chat_template"]?.string,
      namedChatTemplates: (metadata["tokenizer.chat_templates"]?.rawStrings ?? []).compactMap { name in
        let text = metadata["tokenizer.chat_template.\(name)"]?.string
        return text.map { ChatTemplate(name: name.description, text: $0) }
      })
  }

  /// The `tokenizer.*` keys of a GGUF file for an embedding of `vocabularySize` rows.
  func ggufMetadata(vocabularySize: Int) throws -> OrderedDictionary<String, GGUFValue> {
    guard let model = ggufModelName, let pre = ggufPreName else {
      throw CheckpointError(
        .notExpressible, "the tokenizer (\(self.model), split by \(preTokenizer)) cannot be written as GGUF yet")
    }
    guard tokens.count <= vocabularySize else {
      throw CheckpointError(
        .notExpressible,
        "the tokenizer has \(tokens.count) tokens and the embedding \(vocabularySize) rows; GGUF wants a row for each token"
      )
    }
    let padded = padded(to: vocabularySize)
    var result: OrderedDictionary<String, GGUFValue> = [
      "tokenizer.ggml.model": GGUFValue(model),
      "tokenizer.ggml.pre": GGUFValue(pre),
      "tokenizer.ggml.tokens": GGUFValue(padded.tokens),
      "tokenizer.ggml.token_type": GGUFValue(padded.ggufTokenTypes),
      "tokenizer.ggml.merges": GGUFValue(padded.ggufMerges),
    ]
    let tokens = [
      ("bos", beginningToken), ("eos", endToken), ("unknown", unknownToken), ("padding", paddingToken),
    ]
    for (name, id) in tokens { result["tokenizer.ggml.\(name)_token_id"] = id.map { .uint32(UInt32($0)) } }
    result["tokenizer.ggml.add_bos_token"] = .bool(addsBeginning)
    result["tokenizer.ggml.add_eos_token"] = .bool(addsEnd)
    if let chatTemplate { result["tokenizer.chat_template"] = GGUFValue(chatTemplate) }
    for template in namedChatTemplates {
      result["tokenizer.chat_template.\(template.ggufName)"] = GGUFValue(template.text)
    }
    if !namedChatTemplates.isEmpty {
      result["tokenizer.chat_templates"] = GGUFValue(namedChatTemplates.map(\.ggufName))
    }
    return result
  }
}
