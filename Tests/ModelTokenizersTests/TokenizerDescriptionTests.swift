import Foundation
import ModelTokenizers
import OrderedCollections
import TensorFormats
import Testing

@Suite struct TokenizerDescriptionTests {
  @Test(arguments: TokenizerFixture.names)
  func survivesTheWayThroughJSON(name: String) throws {
    let description = try TokenizerFixture(name).description()
    let again = try TokenizerDescription(
      tokenizerJSON: JSON(parsing: description.tokenizerJSON().serialized()),
      configJSON: JSON(parsing: description.tokenizerConfigJSON(maximumLength: 2048).serialized()))
    #expect(again == description)
  }

  @Test(arguments: TokenizerFixture.names)
  func writesTheModelOfTheReference(name: String) throws {
    let fixture = TokenizerFixture(name)
    let written = try fixture.description().tokenizerJSON()
    for key in ["added_tokens", "normalizer", "pre_tokenizer"] {
      #expect(isSameApartFromDefaults(written[key], fixture.tokenizerJSON[key]), "\(key)")
    }
    #expect(written["model"]?["vocab"]?.object?.count == fixture.tokenizerJSON["model"]?["vocab"]?.object?.count)
    #expect(written["model"]?["ignore_merges"] == fixture.tokenizerJSON["model"]?["ignore_merges"])
  }

  @Test func readsWhatTheFilesSay() throws {
    let llama = try TokenizerFixture("llama3").description()
    #expect(llama.preTokenizer == .llama3)
    #expect(llama.ignoresMerges && llama.addsBeginning && !llama.addsEnd)
    #expect(llama.tokens[try #require(llama.beginningToken)] == "<|bos|>")
    #expect(llama.tokens[try #require(llama.endToken)] == "<|endoftext|>")
    #expect(llama.chatTemplate?.contains("<|eot|>") == true)
    #expect(llama.warnings == [])
    let qwen = try TokenizerFixture("qwen2").description()
    #expect(qwen.preTokenizer == .qwen2)
    #expect(qwen.normalizer == .nfc)
    #expect(qwen.paddingToken == qwen.endToken)
    #expect(qwen.unknownToken == nil)
  }

  @Test(arguments: TokenizerFixture.names)
  func givesTheSameIDsFromGGUFValues(name: String) throws {
    var description = try TokenizerFixture(name).description()
    // GGUF has no flags: leave only added tokens without them.
    description.addedTokens.removeAll { $0.stripsLeft || $0.stripsRight || $0.isNormalized || $0.isSingleWord }
    let kept = Set(description.addedTokens.map(\.id))
    for id in description.tokens.indices where description.tokenTypes[id] != .normal && !kept.contains(id) {
      description.tokenTypes[id] = .normal
    }
    let copy = try TokenizerDescription(
      ggufModel: #require(description.ggufModelName), pre: description.ggufPreName, tokens: description.tokens,
      types: description.ggufTokenTypes, merges: description.ggufMerges, beginningToken: description.beginningToken,
      endToken: description.endToken, addsBeginning: description.addsBeginning)
    #expect(copy.warnings == [])
    let (direct, converted) = (try Tokenizer(description), try Tokenizer(copy))
    let rewritten = try Tokenizer(TokenizerDescription(tokenizerJSON: copy.tokenizerJSON()))
    for text in TokenizerFixture.texts {
      #expect(converted.encode(text) == direct.encode(text))
      #expect(rewritten.encode(text) == direct.encode(text))
    }
  }

  @Test(arguments: [
    ("gpt2", "gpt-2"), ("smollm", "smollm"), ("llama3", "llama-bpe"), ("qwen2", "qwen2"),
  ])
  func namesThePreTokenizerForLlamaCpp(name: String, pre: String) throws {
    #expect(try TokenizerFixture(name).description().ggufPreName == pre)
  }

  @Test func namesAnotherPreTokenizerWithoutIgnoredMerges() throws {
    var description = try TokenizerFixture("llama3").description()
    description.ignoresMerges = false
    #expect(description.ggufPreName == "dbrx")
    description.preTokenizer = .qwen2
    #expect(description.ggufPreName == "deepseek-r1-qwen")
    description.ignoresMerges = true
    #expect(description.ggufPreName == nil)
  }

  @Test(arguments: ["llama-bpe", "llama3", "falcon3"])
  func takesFromTheNameWhatLlamaCppDoes(pre: String) throws {
    let description = try TokenizerDescription(ggufModel: "gpt2", pre: pre, tokens: ["a"], beginningToken: 0)
    #expect(description.preTokenizer == .llama3)
    #expect(description.ignoresMerges && description.addsBeginning)
    let explicit = try TokenizerDescription(
      ggufModel: "gpt2", pre: pre, tokens: ["a"], beginningToken: 0, addsBeginning: false)
    #expect(!explicit.addsBeginning)
  }

  @Test(arguments: [nil, "default"])
  func warnsWhereThePreTokenizerIsGuessed(pre: String?) throws {
    let description = try TokenizerDescription(ggufModel: "gpt2", pre: pre, tokens: ["a"])
    #expect(description.preTokenizer == .gpt2)
    #expect(description.warnings.count == 1)
  }

  @Test func fillsHolesAndPads() throws {
    let json: JSON = [
      "model": ["type": "BPE", "vocab": ["a": 0, "b": 3], "merges": []],
      "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false], "decoder": ["type": "ByteLevel"],
    ]
    let description = try TokenizerDescription(tokenizerJSON: json)
    #expect(description.tokens == ["a", "[PAD1]", "[PAD2]", "b"])
    #expect(description.tokenTypes == [.normal, .unused, .unused, .normal])
    #expect(try TokenizerDescription(tokenizerJSON: description.tokenizerJSON()) == description)
    let padded = description.padded(to: 6)
    #expect(padded.tokens.last == "[PAD5]")
    #expect(padded.ggufTokenTypes == [1, 5, 5, 1, 5, 5])
    #expect(try TokenizerDescription(tokenizerJSON: padded.tokenizerJSON()) == description)
    #expect(try Tokenizer(padded).encode("ab") == [0, 3])
  }

  @Test func readsMergesInBothSpellings() throws {
    func merges(_ merges: JSON) throws -> [Merge] {
      try TokenizerDescription(tokenizerJSON: ["model": ["vocab": [:], "merges": merges]]).merges
    }
    #expect(try merges(["a b", "Ġ t"]) == [Merge("a", "b"), Merge("Ġ", "t")])
    #expect(try merges([["a", "b"], [" ", "t"]]) == [Merge("a", "b"), Merge(" ", "t")])
  }

  @Test func lineUpOfConfigFlagsAndPostProcessor() throws {
    let fixture = TokenizerFixture("llama3")
    var config = try #require(fixture.configJSON.object)
    config["add_bos_token"] = false
    let silent = try TokenizerDescription(tokenizerJSON: fixture.tokenizerJSON, configJSON: .object(config))
    #expect(!silent.addsBeginning)
    #expect(silent.warnings.count == 1)
    config["add_bos_token"] = nil
    config["add_eos_token"] = true
    #expect(try TokenizerDescription(tokenizerJSON: fixture.tokenizerJSON, configJSON: .object(config)).addsBeginning)
    config["add_bos_token"] = true
    let both = try TokenizerDescription(tokenizerJSON: fixture.tokenizerJSON, configJSON: .object(config))
    let ids = try Tokenizer(both).encode("")
    #expect(ids == [both.beginningToken, both.endToken])
  }

  /// With `MTCONV_TOKENIZERS_OUT=DIR` the tokenizer.json files that we write go there, for
  /// Tests/Interop/tokenizer_roundtrip.py.
  @Test(.enabled(if: outputFolder != nil), arguments: TokenizerFixture.names)
  func writesFilesForTheReference(name: String) throws {
    let folder = try OutputDirectory(path: #require(outputFolder) + "/" + name, overwrite: true)
    let description = try TokenizerFixture(name).description()
    try folder.write(description.tokenizerJSON().serializedBytes(), to: "tokenizer.json")
    try folder.write(description.tokenizerConfigJSON().serializedBytes(.indented), to: "tokenizer_config.json")
    try folder.commit()
  }

  /// Equal but for keys that are missing on one side.
  private func isSameApartFromDefaults(_ a: JSON?, _ b: JSON?) -> Bool {
    switch (a, b) {
    case (.object(let a)?, .object(let b)?):
      a.keys.allSatisfy { key in b[key] == nil || isSameApartFromDefaults(a[key], b[key]) }
    case (.array(let a)?, .array(let b)?):
      a.count == b.count && zip(a, b).allSatisfy { isSameApartFromDefaults($0, $1) }
    default: (a ?? .null) == (b ?? .null)
    }
  }
}

private let outputFolder = ProcessInfo.processInfo.environment["MTCONV_TOKENIZERS_OUT"]
