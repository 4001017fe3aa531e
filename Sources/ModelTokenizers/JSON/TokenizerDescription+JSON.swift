internal import OrderedCollections
public import TensorFormats

// tokenizer.json, as `tokenizers` 0.20 and later write it:
//   added_tokens     [{id, content, single_word, lstrip, rstrip, normalized, special}]
//   normalizer       null | {type}
//   pre_tokenizer    null | {type, …}           see PreTokenizer+JSON
//   post_processor   null | {type, …}           see SpecialTokenTemplate
//   decoder          null | {type, …}
//   model            {type: "BPE", unk_token, ignore_merges, vocab: {token: id}, merges: ["a b" | ["a", "b"]], …}
// tokenizer_config.json: bos_token, eos_token, unk_token, pad_token (string or {content}), add_bos_token, add_eos_token,
//   chat_template.

extension TokenizerDescription {
  /// A description from a parsed tokenizer.json and, where there is one, tokenizer_config.json.
  ///
  /// What this library does not run is kept as `unsupported`; only contradictions throw: ids far beyond the number of
  /// tokens (`idOutOfRange`), one id for two tokens (`duplicateID`), an added token that the vocabulary has elsewhere
  /// (`conflictingToken`), merges that are not pairs (`malformedMerge`), fields of the wrong kind (`malformed`).
  public init(tokenizerJSON json: JSON, configJSON config: JSON? = nil) throws(TokenizerError) {
    guard let model = json["model"], model.object != nil else {
      throw TokenizerError(.malformed, "tokenizer.json has no object 'model'")
    }
    let addedTokens = try Self.readAddedTokens(json["added_tokens"])
    let vocabulary = try Vocabulary(model: model, addedTokens: addedTokens)
    self.init(
      model: Self.readModel(json, model), tokens: vocabulary.tokens, tokenTypes: vocabulary.types,
      merges: try Self.readMerges(model["merges"]), preTokenizer: PreTokenizer(json: json["pre_tokenizer"]),
      addedTokens: addedTokens)
    scores = vocabulary.scores
    normalizer = TextNormalizer(json: json["normalizer"])
    ignoresMerges = model["ignore_merges"]?.bool ?? false
    unmatchedByteToken = model["unk_token"]?.string.flatMap(vocabulary.id(of:))
    unknownToken = unmatchedByteToken
    readTemplate(SpecialTokenTemplate(json: json["post_processor"]), vocabulary)
    if let config { readConfig(config, vocabulary) }
  }

  // MARK: Parts of tokenizer.json

  /// `byteLevelBPE` if every setting is one that it has; else what stands against it.
  private static func readModel(_ json: JSON, _ model: JSON) -> Model {
    let type = model["type"]?.string ?? (model["merges"] == nil ? "without a type" : "BPE")
    guard type == "BPE" else { return .unsupported(type) }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let affix = model[key]?.string, !affix.isEmpty { return .unsupported("BPE with \(key) '\(affix)'") }
    }
    for key in ["byte_fallback", "fuse_unk"] where model[key]?.bool == true { return .unsupported("BPE with \(key)") }
    if let dropout = model["dropout"]?.double, dropout != 0 { return .unsupported("BPE with dropout") }
    let decoder = json["decoder"]?["type"]?.string ?? "none"
    return decoder == "ByteLevel" ? .byteLevelBPE : .unsupported("BPE with decoder \(decoder)")
  }

  private static func readAddedTokens(_ json: JSON?) throws(TokenizerError) -> [AddedToken] {
    guard let json, !json.isNull else { return [] }
    guard let entries = json.array else { throw TokenizerError(.malformed, "added_tokens is not an array") }
    var result: [AddedToken] = []
    for (place, entry) in entries.enumerated() {
      guard let content = entry["content"]?.string else {
        throw TokenizerError(.malformed, "added_tokens[\(place)] has no string 'content'")
      }
      guard let id = entry["id"]?.int else {
        throw TokenizerError(.idOutOfRange, "added_tokens[\(place)] '\(content)' has no id that is a number")
      }
      let isSpecial = entry["special"]?.bool ?? false
      result.append(
        AddedToken(
          id: id, content: content, isSpecial: isSpecial, stripsLeft: entry["lstrip"]?.bool ?? false,
          stripsRight: entry["rstrip"]?.bool ?? false, isNormalized: entry["normalized"]?.bool ?? !isSpecial,
          isSingleWord: entry["single_word"]?.bool ?? false))
    }
    return result.sorted { $0.id < $1.id }
  }

  private static func readMerges(_ json: JSON?) throws(TokenizerError) -> [Merge] {
    guard let json, !json.isNull else { return [] }
    guard let entries = json.array else { throw TokenizerError(.malformed, "model.merges is not an array") }
    var result: [Merge] = []
    result.reserveCapacity(entries.count)
    for (rank, entry) in entries.enumerated() {
      switch entry {
      case .string(let spelling):
        guard let merge = Merge(spelling: spelling) else {
          throw TokenizerError(.malformedMerge, "merge \(rank) '\(spelling)' is not two parts")
        }
        result.append(merge)
      case .array(let parts):
        guard parts.count == 2, let left = parts[0].string, let right = parts[1].string else {
          throw TokenizerError(.malformedMerge, "merge \(rank) is not a pair of strings")
        }
        result.append(Merge(left, right))
      case .null, .bool, .number, .object:
        throw TokenizerError(.malformedMerge, "merge \(rank) is not a string or a pair of strings")
      }
    }
    return result
  }

  // MARK: Special tokens

  private mutating func readTemplate(_ template: SpecialTokenTemplate, _ vocabulary: Vocabulary) {
    switch template {
    case .none: break
    case .around(let beginning, let end):
      beginningToken = beginning.flatMap(vocabulary.id(of:))
      endToken = end.flatMap(vocabulary.id(of:))
      addsBeginning = beginning != nil
      addsEnd = end != nil
    case .unsupported(let found):
      warnings.append("post-processor \(found) is not supported: special tokens are not added around the text")
    }
  }

  /// The named tokens, and the flags `add_bos_token` and `add_eos_token`, each of which overrules the post-processor where it stands:
  /// gguf-py has it so. `transformers` 5 ignores both where there is a tokenizer.json.
  private mutating func readConfig(_ config: JSON, _ vocabulary: Vocabulary) {
    let template = (addsBeginning, addsEnd)
    beginningToken = readToken("bos_token", config, vocabulary) ?? beginningToken
    endToken = readToken("eos_token", config, vocabulary) ?? endToken
    unknownToken = readToken("unk_token", config, vocabulary) ?? unknownToken
    paddingToken = readToken("pad_token", config, vocabulary)
    if let adds = config["add_bos_token"]?.bool { addsBeginning = adds && beginningToken != nil }
    if let adds = config["add_eos_token"]?.bool { addsEnd = adds && endToken != nil }
    if template != (addsBeginning, addsEnd), template != (false, false) {
      warnings.append("tokenizer_config.json overrules the special tokens that tokenizer.json adds")
    }
    readChatTemplates(config["chat_template"])
    for (_, entry) in config["added_tokens_decoder"]?.object ?? [:] {
      guard let content = entry["content"]?.string, vocabulary.id(of: content) == nil else { continue }
      warnings.append("tokenizer_config.json adds token '\(content)', which tokenizer.json does not have: left out")
    }
  }

  private mutating func readToken(_ key: String, _ config: JSON, _ vocabulary: Vocabulary) -> Int? {
    guard let text = config[key]?.string ?? config[key]?["content"]?.string else { return nil }
    if let id = vocabulary.id(of: text) { return id }
    warnings.append("\(key) '\(text)' is not in the vocabulary: left out")
    return nil
  }

  /// A template, or several by name, of which a later one of the same name goes before.
  private mutating func readChatTemplates(_ json: JSON?) {
    chatTemplate = json?.string
    for entry in json?.array ?? [] {
      guard let name = entry["name"]?.string, let text = entry["template"]?.string else {
        warnings.append("tokenizer_config.json lists a chat template without name or text: left out")
        continue
      }
      if name == ChatTemplate.defaultName {
        chatTemplate = text
      } else {
        namedChatTemplates.removeAll { $0.name == name }
        namedChatTemplates.append(ChatTemplate(name: name, text: text))
      }
    }
  }
}
