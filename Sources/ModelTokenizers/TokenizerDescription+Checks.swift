/// What ``Tokenizer`` and ``TokenizerDescription/tokenizerJSON()`` require of a description.
extension TokenizerDescription {
  /// Throws `unsupported` for a part that is known by name only, and `countMismatch` for too few or too many types.
  func checkSupport() throws(TokenizerError) {
    if case .unsupported(let name) = model {
      throw TokenizerError(.unsupported, "tokenizer model '\(name)' is not supported, expected byte-level BPE")
    }
    if case .unsupported(let name) = normalizer {
      throw TokenizerError(.unsupported, "normalizer '\(name)' is not supported, expected none or NFC")
    }
    if case .unsupported(let found) = preTokenizer {
      let known = PreTokenizer.rows.map { "\($0.preTokenizer)" }.joined(separator: ", ")
      throw TokenizerError(.unsupported, "pre-tokenizer is not one of \(known): \(found)")
    }
    guard tokenTypes.count == tokens.count else {
      throw TokenizerError(.countMismatch, "\(tokens.count) tokens have \(tokenTypes.count) types")
    }
    guard tokens.count <= Int32.max else {
      throw TokenizerError(.idOutOfRange, "\(tokens.count) tokens, at most \(Int32.max) are possible")
    }
  }

  /// Added tokens must have text, ids within the vocabulary, the text of their id, and neither twice.
  func checkAddedTokens() throws(TokenizerError) {
    var ids: Set<Int> = []
    var contents: Set<[UInt8]> = []
    for token in addedTokens {
      guard tokens.indices.contains(token.id) else {
        throw TokenizerError(
          .idOutOfRange, "added token '\(token.content)' has id \(token.id), the vocabulary has \(tokens.count)")
      }
      guard !token.content.isEmpty else {
        throw TokenizerError(.emptyToken, "added token \(token.id) has no text")
      }
      guard ids.insert(token.id).inserted else {
        throw TokenizerError(.duplicateID, "two added tokens have id \(token.id)")
      }
      guard contents.insert(Array(token.content.utf8)).inserted else {
        throw TokenizerError(.duplicateToken, "added token '\(token.content)' stands twice")
      }
      guard tokens[token.id].utf8.elementsEqual(token.content.utf8) else {
        throw TokenizerError(
          .conflictingToken, "added token '\(token.content)' has id \(token.id), which is '\(tokens[token.id])'")
      }
    }
  }

  /// An id that the vocabulary must have.
  func required(_ id: Int?, _ role: String) throws(TokenizerError) -> Int {
    guard let id else { throw TokenizerError(.malformed, "the \(role) token is to be added, but there is none") }
    guard tokens.indices.contains(id) else {
      throw TokenizerError(.idOutOfRange, "the \(role) token has id \(id), the vocabulary has \(tokens.count)")
    }
    return id
  }
}

extension TokenizerDescription {
  /// The texts of added tokens that the normalizer changes, by id.
  fileprivate var normalizedTokens: [Int: String] {
    var result: [Int: String] = [:]
    for token in addedTokens where token.isNormalized {
      let bytes = normalizer.normalize(Array(token.content.utf8))
      result[token.id] = String(decoding: bytes, as: UTF8.self)
    }
    return result
  }
}

extension TokenTable {
  /// The bytes of all tokens. A token with a character outside the byte alphabet stands for its own UTF-8; an added token
  /// that is sought in normalized text stands for its normalized form, as `tokenizers` decodes it.
  init(_ description: TokenizerDescription) throws(TokenizerError) {
    self.init(capacity: description.tokens.count)
    let modelCount = description.modelTokenCount
    let normalized = description.normalizedTokens
    var bytes: [UInt8] = []
    var rawTokens: Set<[UInt8]> = []
    for (id, token) in description.tokens.enumerated() {
      bytes.removeAll(keepingCapacity: true)
      let isSpelled = ByteAlphabet.appendBytes(spelledBy: normalized[id] ?? token, to: &bytes)
      if !isSpelled { bytes.append(contentsOf: (normalized[id] ?? token).utf8) }
      let isModelToken = id < modelCount
      var isNew = append(bytes, isIndexed: isSpelled && isModelToken)
      if !isSpelled, isModelToken { isNew = rawTokens.insert(bytes).inserted }
      guard isNew else {
        throw TokenizerError(.duplicateToken, "token \(id) '\(token)' stands in the vocabulary twice")
      }
    }
  }
}

extension MergeTable {
  /// The merges by the ids of their parts.
  init(_ description: TokenizerDescription, _ table: TokenTable) throws(TokenizerError) {
    self.init(capacity: description.merges.count)
    var word: [UInt8] = []
    for (rank, merge) in description.merges.enumerated() {
      word.removeAll(keepingCapacity: true)
      let isLeftSpelled = ByteAlphabet.appendBytes(spelledBy: merge.left, to: &word)
      let split = word.count
      let isRightSpelled = ByteAlphabet.appendBytes(spelledBy: merge.right, to: &word)
      guard isLeftSpelled, isRightSpelled, split > 0, split < word.count else {
        throw TokenizerError(
          .malformedMerge, "merge \(rank) '\(merge.left)' + '\(merge.right)' is not spelled in the byte alphabet")
      }
      let (left, right, result) = word.withUnsafeBufferPointer { word in
        (
          table.id(of: UnsafeBufferPointer(rebasing: word[..<split])),
          table.id(of: UnsafeBufferPointer(rebasing: word[split...])), table.id(of: word)
        )
      }
      guard let left, let right, let result else {
        let missing = left == nil ? merge.left : right == nil ? merge.right : merge.left + merge.right
        throw TokenizerError(
          .unknownMergeToken, "merge \(rank) needs token '\(missing)', which is not in the vocabulary")
      }
      insert(left: left, right: right, rank: rank, result: result)
    }
  }
}
