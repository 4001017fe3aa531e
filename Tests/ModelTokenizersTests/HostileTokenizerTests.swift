import ModelTokenizers
import OrderedCollections
import TensorFormats
import Testing

/// Every rule broken once. Nothing may trap, and nothing may be allocated for a number that a file merely states.
@Suite struct HostileTokenizerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: TokenizerError.Code
    let json: JSON

    init(_ name: String, _ code: TokenizerError.Code, vocab: JSON = good, merges: JSON = [], added: [JSON] = []) {
      testDescription = name
      self.code = code
      json = Case.json(vocab, merges, added)
    }

    static let good: JSON = ["a": 0, "b": 1, "ab": 2]

    static func json(_ vocab: JSON, _ merges: JSON, _ added: [JSON]) -> JSON {
      [
        "added_tokens": .array(added), "model": ["type": "BPE", "vocab": vocab, "merges": merges],
        "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false], "decoder": ["type": "ByteLevel"],
      ]
    }
  }

  static let cases: [Case] = [
    Case("a merge of an unknown left part", .unknownMergeToken, merges: ["x b"]),
    Case("a merge of an unknown right part", .unknownMergeToken, merges: ["a x"]),
    Case("a merge without its result", .unknownMergeToken, merges: ["b a"]),
    Case("a merge of one part", .malformedMerge, merges: ["ab"]),
    Case("a merge with an empty right part", .malformedMerge, merges: ["a "]),
    Case("an empty merge", .malformedMerge, merges: [""]),
    Case("a merge of three parts", .malformedMerge, merges: [["a", "b", "c"]]),
    Case("a merge of numbers", .malformedMerge, merges: [[1, 2]]),
    Case("a merge of an empty part", .malformedMerge, merges: [["", "a"]]),
    Case("a merge that is a number", .malformedMerge, merges: [7]),
    Case("a merge outside the alphabet", .malformedMerge, merges: [["a", "€"]]),
    Case("merges that are no array", .malformed, merges: ["a": "b"]),
    Case("one id for two tokens", .duplicateID, vocab: ["a": 0, "b": 0]),
    Case("a negative id", .idOutOfRange, vocab: ["a": -1]),
    Case("an id of 2^60", .idOutOfRange, vocab: ["a": 1_152_921_504_606_846_976]),
    Case("an id of 10^6 for three tokens", .idOutOfRange, vocab: ["a": 0, "b": 1, "c": 1_000_000]),
    Case("an id with a fraction", .idOutOfRange, vocab: ["a": 0.5]),
    Case("an id that is a string", .idOutOfRange, vocab: ["a": "0"]),
    Case("a vocabulary that is a string", .malformed, vocab: "a b"),
    Case("pieces without scores", .malformed, vocab: [["a"], ["b"]]),
    Case("an added token of 2^60", .idOutOfRange, added: [["id": 1_152_921_504_606_846_976, "content": "x"]]),
    Case("an added token of id -1", .idOutOfRange, added: [["id": -1, "content": "x"]]),
    Case("an added token without an id", .idOutOfRange, added: [["content": "x"]]),
    Case("an added token without a text", .malformed, added: [["id": 3]]),
    Case("an added token with an empty text", .emptyToken, added: [["id": 3, "content": ""]]),
    Case("an added token at another's id", .duplicateID, added: [["id": 0, "content": "x"]]),
    Case("an added token that is elsewhere in the vocabulary", .conflictingToken, added: [["id": 3, "content": "a"]]),
    Case("two added tokens at one id", .duplicateID, added: [["id": 3, "content": "x"], ["id": 3, "content": "y"]]),
    Case("an added token twice", .duplicateToken, added: [["id": 3, "content": "x"], ["id": 4, "content": "x"]]),
    Case(
      "an added token of the vocabulary twice", .duplicateID,
      added: [["id": 0, "content": "a"], ["id": 0, "content": "a"]]),
  ]

  @Test(arguments: cases)
  func refuses(_ hostile: Case) throws {
    let error = #expect(throws: TokenizerError.self) {
      _ = try Tokenizer(TokenizerDescription(tokenizerJSON: hostile.json))
    }
    let found = try #require(error)
    #expect(found.code == hostile.code, "\(found)")
    #expect(!found.message.contains("\n"))
  }

  @Test func refusesWhatIsNoTokenizer() {
    for json: JSON in [nil, [], "x", [:], ["model": []], ["model": [:]], ["model": ["vocab": nil]]] {
      #expect(throws: TokenizerError.self) { try TokenizerDescription(tokenizerJSON: json) }
    }
    #expect(throws: TokenizerError.self) {
      try TokenizerDescription(tokenizerJSON: ["model": ["vocab": [:]], "added_tokens": ["x": 1]])
    }
  }

  static let otherModels: [(String, JSON)] = [
    ("Unigram", ["type": "Unigram", "vocab": [["<unk>", 0.0], ["▁a", -1.5]]]),
    ("WordPiece", ["type": "WordPiece", "vocab": ["[UNK]": 0]]),
    ("byte_fallback", ["type": "BPE", "vocab": ["a": 0], "merges": [], "byte_fallback": true]),
    ("end_of_word_suffix", ["type": "BPE", "vocab": ["a": 0], "merges": [], "end_of_word_suffix": "</w>"]),
    ("decoder none", ["type": "BPE", "vocab": ["a": 0], "merges": []]),
  ]

  @Test(arguments: otherModels)
  func opensButDoesNotRunOtherModels(name: String, model: JSON) throws {
    let description = try TokenizerDescription(tokenizerJSON: ["model": model])
    #expect(description.tokens.count > 0)
    expectUnsupported(description, mentioning: name)
  }

  static let otherPreTokenizers: [(String, JSON)] = [
    ("none", nil),
    ("Whitespace", ["type": "Whitespace"]),
    ("add_prefix_space", ["type": "ByteLevel", "add_prefix_space": true]),
    ("d+", ["type": "Sequence", "pretokenizers": [otherSplit, ["type": "ByteLevel", "add_prefix_space": false]]]),
  ]
  static let otherSplit: JSON = ["type": "Split", "pattern": ["Regex": "\\d+"], "behavior": "Isolated"]

  @Test(arguments: otherPreTokenizers)
  func saysWhichPreTokenizerItDoesNotKnow(name: String, preTokenizer: JSON) throws {
    var json = try #require(Case.json(Case.good, [], []).object)
    json["pre_tokenizer"] = preTokenizer
    expectUnsupported(try TokenizerDescription(tokenizerJSON: .object(json)), mentioning: name)
  }

  @Test func refusesOtherNormalizersAndModelsOfGGUF() throws {
    var json = try #require(Case.json(Case.good, [], []).object)
    json["normalizer"] = ["type": "Lowercase"]
    expectUnsupported(try TokenizerDescription(tokenizerJSON: .object(json)), mentioning: "Lowercase")
    let llama = try TokenizerDescription(ggufModel: "llama", pre: "default", tokens: ["a"], scores: [0])
    expectUnsupported(llama, mentioning: "llama")
    let tekken = try TokenizerDescription(ggufModel: "gpt2", pre: "tekken", tokens: ["a"])
    expectUnsupported(tekken, mentioning: "tekken")
  }

  @Test func refusesBrokenGGUFValues() throws {
    func code(_ body: () throws -> TokenizerDescription) throws -> TokenizerError.Code? {
      let error = #expect(throws: TokenizerError.self) { _ = try Tokenizer(body()) }
      return error?.code
    }
    let tokens = ["a", "b", "ab"]
    #expect(
      try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: tokens, types: [1]) } == .countMismatch)
    #expect(
      try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: tokens, scores: [1]) } == .countMismatch)
    #expect(
      try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: tokens, types: [1, 9, 1]) } == .malformed)
    #expect(
      try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: tokens, merges: ["ab"]) } == .malformedMerge)
    #expect(
      try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: tokens, merges: ["a c"]) } == .unknownMergeToken)
    #expect(
      try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: ["a", "a"]) } == .duplicateToken)
    #expect(
      try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: ["€", "€", "a"]) } == .duplicateToken)
    #expect(
      try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: ["a", ""], types: [1, 3]) } == .emptyToken)
    for id in [-1, 3, .max] {
      #expect(
        try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: tokens, beginningToken: id) } == .idOutOfRange)
    }
    #expect(
      try code { try .init(ggufModel: "gpt2", pre: "gpt-2", tokens: tokens, addsBeginning: true) } == .malformed)
  }

  @Test func runsAnEmptyVocabulary() throws {
    let tokenizer = try Tokenizer(TokenizerDescription(ggufModel: "gpt2", pre: "gpt-2", tokens: []))
    #expect(tokenizer.encode("nothing is known here") == [])
    #expect(tokenizer.decode([0]) == "")
  }

  private func expectUnsupported(_ description: TokenizerDescription, mentioning text: String) {
    let error = #expect(throws: TokenizerError.self) { try Tokenizer(description) }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    let second = #expect(throws: TokenizerError.self) { try description.tokenizerJSON() }
    #expect(second?.code == .unsupported)
  }
}
