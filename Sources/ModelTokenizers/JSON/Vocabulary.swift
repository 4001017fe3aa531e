internal import OrderedCollections
internal import TensorFormats

/// The vocabulary of tokenizer.json with its added tokens, by id; holes are filled.
struct Vocabulary {
  private(set) var tokens: [String] = []
  private(set) var types: [TokenType] = []
  /// Scores of a Unigram model.
  private(set) var scores: [Float]?
  private var addedIDs: [[UInt8]: Int] = [:]
  private var modelIDs: JSONObject = [:]

  /// Throws `malformed`, `idOutOfRange`, `duplicateID` or `conflictingToken`.
  init(model: JSON, addedTokens: [AddedToken]) throws(TokenizerError) {
    var entries: [(text: String, id: Int)] = []
    switch model["vocab"] {
    case .object(let vocabulary):
      modelIDs = vocabulary
      entries.reserveCapacity(vocabulary.count)
      for (text, id) in vocabulary {
        guard let id = id.int else { throw TokenizerError(.idOutOfRange, "token '\(text)' has no id that is a number") }
        entries.append((text, id))
      }
    case .array(let pieces):
      scores = []
      for (id, piece) in pieces.enumerated() {
        guard let pair = piece.array, pair.count == 2, let text = pair[0].string, let score = pair[1].double else {
          throw TokenizerError(.malformed, "model.vocab[\(id)] is not a token with its score")
        }
        entries.append((text, id))
        scores?.append(Float(score))
      }
    default: throw TokenizerError(.malformed, "model.vocab is neither an object nor an array")
    }
    try place(entries, addedTokens)
  }

  /// The id of a token by its text.
  func id(of text: String) -> Int? { addedIDs[Array(text.utf8)] ?? modelIDs[text]?.int }

  private mutating func place(
    _ entries: [(text: String, id: Int)], _ addedTokens: [AddedToken]
  ) throws(TokenizerError) {
    // Vocabularies have few holes; an id far beyond the number of tokens would only cost memory.
    let limit = 2 * (entries.count + addedTokens.count) + 65_536
    var texts = [String?](repeating: nil, count: entries.count)
    func put(_ text: String, at id: Int) throws(TokenizerError) {
      guard id >= 0, id < limit else {
        throw TokenizerError(.idOutOfRange, "token '\(text)' has id \(id), expected 0 to \(limit - 1)")
      }
      while texts.count <= id { texts.append(nil) }
      if let other = texts[id] {
        throw TokenizerError(.duplicateID, "tokens '\(other)' and '\(text)' both have id \(id)")
      }
      texts[id] = text
    }
    for entry in entries { try put(entry.text, at: entry.id) }
    for token in addedTokens {
      if let id = modelIDs[token.content]?.int {
        guard id == token.id else {
          throw TokenizerError(
            .conflictingToken, "added token '\(token.content)' has id \(token.id), in the vocabulary it has \(id)")
        }
      } else if scores == nil || !isPresent(token, texts) {
        try put(token.content, at: token.id)
      }
      addedIDs[Array(token.content.utf8)] = token.id
    }
    fill(texts, addedTokens)
  }

  private func isPresent(_ token: AddedToken, _ texts: [String?]) -> Bool {
    texts.indices.contains(token.id) && texts[token.id] == token.content
  }

  private mutating func fill(_ texts: [String?], _ addedTokens: [AddedToken]) {
    tokens = texts.enumerated().map { $0.element ?? TokenizerDescription.filler($0.offset) }
    types = texts.map { $0 == nil ? .unused : .normal }
    for (id, text) in tokens.enumerated() where text == TokenizerDescription.filler(id) { types[id] = .unused }
    for token in addedTokens {
      types[token.id] = token.isSpecial || Self.looksSpecial(token.content) ? .control : .userDefined
    }
    if let count = scores?.count, count < tokens.count { scores? += [Float](repeating: 0, count: tokens.count - count) }
  }

  /// Names that llama.cpp's converter marks as control tokens even where tokenizer.json does not call them special.
  private static func looksSpecial(_ text: String) -> Bool {
    if ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].contains(text) { return true }
    return [("<|", "|>"), ("<｜", "｜>"), ("<unused", ">")].contains { text.hasPrefix($0.0) && text.hasSuffix($0.1) }
  }
}
