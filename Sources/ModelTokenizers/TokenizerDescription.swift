/// Everything that a tokenizer.json with its tokenizer_config.json, or the metadata of a GGUF file, says about a tokenizer.
///
/// A description can be read, kept and converted even where this library cannot run the tokenizer: what is not known is
/// kept by name (`unsupported`), and only ``Tokenizer/init(_:)`` refuses it.
public struct TokenizerDescription: Sendable, Equatable {
  public enum Model: Hashable, Sendable {
    /// GPT-2's: text is bytes, bytes are spelled in an alphabet of printable characters, and merges join them.
    case byteLevelBPE
    /// Any other, by its name in the file (`Unigram`, `llama`).
    case unsupported(String)
  }

  public var model: Model
  /// The text of each id, as the file spells it: byte-level tokens in the byte alphabet (`Ġthe`), added tokens plainly.
  public var tokens: [String]
  /// One for each token.
  public var tokenTypes: [TokenType]
  /// One for each token, where the model has them.
  public var scores: [Float]?
  /// In the order of their rank.
  public var merges: [Merge]
  public var preTokenizer: PreTokenizer
  public var normalizer: TextNormalizer
  /// A word that is a token as a whole is that token, whatever the merges would make of it.
  public var ignoresMerges: Bool
  /// The token for a byte that is not in the vocabulary; without one such bytes vanish.
  public var unmatchedByteToken: Int?
  /// In the order of their ids.
  public var addedTokens: [AddedToken]
  public var beginningToken: Int?
  public var endToken: Int?
  public var unknownToken: Int?
  public var paddingToken: Int?
  /// `encode` starts with `beginningToken`.
  public var addsBeginning: Bool
  /// `encode` ends with `endToken`.
  public var addsEnd: Bool
  public var chatTemplate: String?
  /// Those with a name of their own, for tools or retrieval; none is called `default`.
  public var namedChatTemplates: [ChatTemplate]
  /// What was guessed or left out in reading, one sentence each, for the user to see.
  public var warnings: [String]

  public init(
    model: Model = .byteLevelBPE, tokens: [String], tokenTypes: [TokenType], merges: [Merge],
    preTokenizer: PreTokenizer, addedTokens: [AddedToken] = []
  ) {
    self.model = model
    self.tokens = tokens
    self.tokenTypes = tokenTypes
    self.merges = merges
    self.preTokenizer = preTokenizer
    self.addedTokens = addedTokens
    normalizer = .none
    ignoresMerges = false
    addsBeginning = false
    addsEnd = false
    namedChatTemplates = []
    warnings = []
  }
}

extension TokenizerDescription {
  /// The same with unused tokens `[PADi]` at the end, for a model whose embedding has `count` rows.
  public func padded(to count: Int) -> TokenizerDescription {
    guard count > tokens.count else { return self }
    var result = self
    for id in tokens.count..<count {
      result.tokens.append(Self.filler(id))
      result.tokenTypes.append(.unused)
      result.scores?.append(0)
    }
    return result
  }

  /// The text that stands in a hole of the vocabulary, as llama.cpp's converter spells it.
  static func filler(_ id: Int) -> String { "[PAD\(id)]" }

  /// How many tokens, counted from 0, belong to the model's own vocabulary.
  ///
  /// Added tokens that follow it without a hole are not part of it; tokenizer.json numbers those itself, in order.
  /// Fillers at the end belong nowhere.
  var modelTokenCount: Int {
    var isAdded = [Bool](repeating: false, count: tokens.count)
    for token in addedTokens where tokens.indices.contains(token.id) { isAdded[token.id] = true }
    let last = tokens.indices.last { !isAdded[$0] && !isFiller($0) }
    let count = last.map { $0 + 1 } ?? 0
    let firstBehindBlock = tokens.indices[count...].first { !isAdded[$0] } ?? tokens.count
    let lastAdded = tokens.indices[firstBehindBlock...].last { isAdded[$0] }
    return lastAdded.map { $0 + 1 } ?? count
  }

  private func isFiller(_ id: Int) -> Bool { tokenTypes[id] == .unused && tokens[id] == Self.filler(id) }
}
