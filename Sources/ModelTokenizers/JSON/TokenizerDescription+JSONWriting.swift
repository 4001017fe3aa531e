internal import OrderedCollections
public import TensorFormats

extension TokenizerDescription {
  /// A complete tokenizer.json, which `tokenizers` and `transformers` load and which gives them the same ids.
  ///
  /// Throws `unsupported` for what has no exact spelling here (carry the original file instead) and the codes of
  /// ``Tokenizer/init(_:)`` for a description that contradicts itself. Unused tokens at the end are left out.
  public func tokenizerJSON() throws(TokenizerError) -> JSON {
    try checkSupport()
    try checkAddedTokens()
    guard let preTokenizer = preTokenizer.json else {
      throw TokenizerError(.unsupported, "pre-tokenizer has no spelling in tokenizer.json")
    }
    return [
      "version": "1.0",
      "truncation": nil,
      "padding": nil,
      "added_tokens": .array(addedTokens.sorted { $0.id < $1.id }.map(\.json)),
      "normalizer": normalizer.json,
      "pre_tokenizer": preTokenizer,
      "post_processor": SpecialTokenTemplate.json(
        beginning: try addsBeginning ? named(beginningToken, "beginning") : nil,
        end: try addsEnd ? named(endToken, "end") : nil),
      "decoder": ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
      "model": try modelJSON(),
    ]
  }

  /// A tokenizer_config.json for ``tokenizerJSON()``.
  ///
  /// - Parameter maximumLength: `model_max_length`: the context that the model was made for, in tokens.
  public func tokenizerConfigJSON(maximumLength: Int? = nil) -> JSON {
    var config: JSONObject = [
      "add_bos_token": .bool(addsBeginning),
      "add_eos_token": .bool(addsEnd),
      "clean_up_tokenization_spaces": false,
    ]
    for (key, id) in [
      ("bos_token", beginningToken), ("eos_token", endToken), ("pad_token", paddingToken), ("unk_token", unknownToken),
    ] {
      guard let id, tokens.indices.contains(id) else { continue }
      config[key] = .string(tokens[id])
    }
    if let maximumLength { config["model_max_length"] = .int(maximumLength) }
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    config["chat_template"] = chatTemplatesJSON
    return .object(config)
  }

  /// The template as a string, or all as a list where some have names.
  private var chatTemplatesJSON: JSON? {
    guard !namedChatTemplates.isEmpty else { return chatTemplate.map { .string($0) } }
    let unnamed = chatTemplate.map { ChatTemplate(name: ChatTemplate.defaultName, text: $0) }
    return .array(
      ([unnamed].compactMap(\.self) + namedChatTemplates).map {
        ["name": .string($0.name), "template": .string($0.text)]
      })
  }

  private func modelJSON() throws(TokenizerError) -> JSON {
    var vocabulary = JSONObject()
    for id in 0..<modelTokenCount where vocabulary.updateValue(.int(id), forKey: tokens[id]) != nil {
      throw TokenizerError(.duplicateToken, "token \(id) '\(tokens[id])' stands in the vocabulary twice")
    }
    let hasSpaces = merges.contains { $0.left.utf8.contains(0x20) || $0.right.utf8.contains(0x20) }
    let merges = merges.map { merge -> JSON in
      hasSpaces ? [.string(merge.left), .string(merge.right)] : .string("\(merge.left) \(merge.right)")
    }
    return [
      "type": "BPE",
      "dropout": nil,
      "unk_token": try unmatchedByteToken == nil ? nil : .string(named(unmatchedByteToken, "unknown").0),
      "continuing_subword_prefix": nil,
      "end_of_word_suffix": nil,
      "fuse_unk": false,
      "byte_fallback": false,
      "ignore_merges": .bool(ignoresMerges),
      "vocab": .object(vocabulary),
      "merges": .array(merges),
    ]
  }

  private func named(_ id: Int?, _ role: String) throws(TokenizerError) -> (String, Int) {
    let id = try required(id, role)
    return (tokens[id], id)
  }
}

extension AddedToken {
  fileprivate var json: JSON {
    [
      "id": .int(id),
      "content": .string(content),
      "single_word": .bool(isSingleWord),
      "lstrip": .bool(stripsLeft),
      "rstrip": .bool(stripsRight),
      "normalized": .bool(isNormalized),
      "special": .bool(isSpecial),
    ]
  }
}
