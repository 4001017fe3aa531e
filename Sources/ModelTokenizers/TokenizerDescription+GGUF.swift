/// The tokenizer keys of a GGUF file, as plain values: this target does not know the file format.
extension TokenizerDescription {
  /// A description from the values of `tokenizer.ggml.*`.
  ///
  /// - Parameters:
  ///   - ggufModel: `tokenizer.ggml.model`; `gpt2` is byte-level BPE.
  ///   - pre: `tokenizer.ggml.pre`. Where it is missing, GPT-2's pattern is taken and `warnings` says so.
  ///   - types: `tokenizer.ggml.token_type`; control and user-defined tokens are added tokens.
  ///   - merges: `tokenizer.ggml.merges`, each `left right`.
  ///   - addsBeginning: `tokenizer.ggml.add_bos_token`; where it is missing, llama.cpp goes by `pre`.
  ///   - chatTemplate: `tokenizer.chat_template`.
  ///   - namedChatTemplates: `tokenizer.chat_template.NAME` for the names in `tokenizer.chat_templates`.
  ///
  /// Throws `countMismatch`, `malformed` (unknown type), `malformedMerge` or `idOutOfRange`.
  public init(
    ggufModel: String, pre: String?, tokens: [String], types: [Int32]? = nil, merges: [String]? = nil,
    scores: [Float]? = nil, beginningToken: Int? = nil, endToken: Int? = nil, unknownToken: Int? = nil,
    paddingToken: Int? = nil, addsBeginning: Bool? = nil, addsEnd: Bool? = nil, chatTemplate: String? = nil,
    namedChatTemplates: [ChatTemplate] = []
  ) throws(TokenizerError) {
    let types = try Self.tokenTypes(types, count: tokens.count)
    if let scores, scores.count != tokens.count {
      throw TokenizerError(.countMismatch, "\(tokens.count) tokens have \(scores.count) scores")
    }
    self.init(
      model: ggufModel == Self.ggufByteLevelModel ? .byteLevelBPE : .unsupported(ggufModel), tokens: tokens,
      tokenTypes: types, merges: try Self.merges(merges ?? []), preTokenizer: .gpt2,
      addedTokens: Self.addedTokens(tokens, types))
    self.scores = scores
    let name = readPreTokenizer(named: pre)
    self.addsBeginning = addsBeginning ?? name?.addsBeginning ?? false
    self.addsEnd = addsEnd ?? false
    self.chatTemplate = chatTemplate
    self.namedChatTemplates = namedChatTemplates
    self.beginningToken = beginningToken
    self.endToken = endToken
    self.unknownToken = unknownToken
    self.paddingToken = paddingToken
    for (id, role) in [
      (beginningToken, "beginning"), (endToken, "end"), (unknownToken, "unknown"), (paddingToken, "padding"),
    ] where id != nil { _ = try required(id, role) }
  }

  /// `tokenizer.ggml.model`; nil for a tokenizer that did not come from GGUF and is not byte-level BPE.
  public var ggufModelName: String? {
    switch model {
    case .byteLevelBPE: Self.ggufByteLevelModel
    case .unsupported: nil
    }
  }

  /// `tokenizer.ggml.pre`: a name with which llama.cpp splits text as this tokenizer does; nil if there is none.
  public var ggufPreName: String? { preTokenizer.ggufName(ignoresMerges: ignoresMerges, normalizer: normalizer) }

  /// `tokenizer.ggml.token_type`.
  public var ggufTokenTypes: [Int32] { tokenTypes.map(\.rawValue) }

  /// `tokenizer.ggml.merges`; a space within a part is spelled `Ġ` (U+0120), as llama.cpp's converter does.
  public var ggufMerges: [String] {
    func spelling(_ part: String) -> String {
      guard part.utf8.contains(UInt8(ascii: " ")) else { return part }
      return String(String.UnicodeScalarView(part.unicodeScalars.map { $0 == " " ? "\u{120}" : $0 }))
    }
    return merges.map { spelling($0.left) + " " + spelling($0.right) }
  }
}

extension TokenizerDescription {
  private static let ggufByteLevelModel = "gpt2"

  /// Sets what `tokenizer.ggml.pre` says, and returns what llama.cpp takes from the name besides.
  private mutating func readPreTokenizer(named pre: String?) -> PreTokenizer.GGUFName? {
    guard case .byteLevelBPE = model else {
      preTokenizer = .unsupported(pre ?? "none")
      return nil
    }
    guard let pre, pre != "default" else {
      warnings.append(
        "tokenizer.ggml.pre is \(pre == nil ? "missing" : "'default'"): splitting text as GPT-2 does, which may be wrong"
      )
      return nil
    }
    guard let (found, name) = PreTokenizer.named(pre) else {
      preTokenizer = .unsupported("tokenizer.ggml.pre '\(pre)'")
      return nil
    }
    preTokenizer = found
    ignoresMerges = name.ignoresMerges
    normalizer = name.normalizer
    return name
  }

  private static func tokenTypes(_ types: [Int32]?, count: Int) throws(TokenizerError) -> [TokenType] {
    guard let types else { return [TokenType](repeating: .normal, count: count) }
    guard types.count == count else {
      throw TokenizerError(.countMismatch, "\(count) tokens have \(types.count) types")
    }
    var result: [TokenType] = []
    result.reserveCapacity(count)
    for (id, type) in types.enumerated() {
      guard let known = TokenType(rawValue: type) else {
        throw TokenizerError(.malformed, "token \(id) has type \(type), expected 0 to 6")
      }
      result.append(known)
    }
    return result
  }

  private static func merges(_ spellings: [String]) throws(TokenizerError) -> [Merge] {
    var result: [Merge] = []
    result.reserveCapacity(spellings.count)
    for (rank, spelling) in spellings.enumerated() {
      guard let merge = Merge(spelling: spelling) else {
        throw TokenizerError(.malformedMerge, "merge \(rank) '\(spelling)' is not two parts")
      }
      result.append(merge)
    }
    return result
  }

  /// GGUF keeps no flags: added tokens take no white space along and match the text as given.
  private static func addedTokens(_ tokens: [String], _ types: [TokenType]) -> [AddedToken] {
    tokens.indices.compactMap { id in
      switch types[id] {
      case .control: AddedToken(id: id, content: tokens[id], isSpecial: true)
      case .userDefined: AddedToken(id: id, content: tokens[id], isSpecial: false)
      case .undefined, .normal, .unknown, .unused, .byte: nil
      }
    }
  }
}
