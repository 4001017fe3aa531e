import ModelTokenizers
import TensorFormats
import Testing

/// The oracle is Hugging Face `tokenizers` 0.23.3: Fixtures/generate/tokenizer_fixtures.py.
@Suite struct TokenizerTests {
  @Test(arguments: TokenizerFixture.names)
  func givesTheIDsOfTheReference(name: String) throws {
    let fixture = TokenizerFixture(name)
    let tokenizer = try fixture.tokenizer()
    let expected = fixture.ids("ids")
    #expect(expected.count == TokenizerFixture.texts.count)
    for (text, ids) in zip(TokenizerFixture.texts, expected) {
      #expect(tokenizer.encode(text, addsSpecialTokens: false) == ids, "\(text.debugDescription)")
    }
  }

  @Test(arguments: TokenizerFixture.names)
  func addsSpecialTokensAroundTheText(name: String) throws {
    let fixture = TokenizerFixture(name)
    let tokenizer = try fixture.tokenizer()
    for (text, ids) in zip(TokenizerFixture.texts, fixture.ids("withSpecialTokens")) {
      #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
    }
  }

  @Test(arguments: TokenizerFixture.names)
  func readsSpecialTokensAsTextOnRequest(name: String) throws {
    let fixture = TokenizerFixture(name)
    let tokenizer = try fixture.tokenizer()
    let same = fixture.ids("ids")
    for (index, ids) in fixture.ids("specialTokensAsText").enumerated() {
      let text = TokenizerFixture.texts[index]
      let found = tokenizer.encode(text, addsSpecialTokens: false, parsesSpecialTokens: false)
      #expect(found == ids ?? same[index], "\(text.debugDescription)")
    }
  }

  @Test(arguments: TokenizerFixture.names)
  func decodesAsTheReference(name: String) throws {
    let fixture = TokenizerFixture(name)
    let tokenizer = try fixture.tokenizer()
    let ids = fixture.ids("ids")
    let decoded = fixture.texts("decoded")
    let skipped = fixture.texts("decodedWithoutSpecialTokens")
    for (index, text) in TokenizerFixture.texts.enumerated() {
      let expected = decoded[index] ?? text
      let sequence = try #require(ids[index])
      #expect(isSame(tokenizer.decode(sequence), expected))
      #expect(isSame(tokenizer.decode(sequence, skipsSpecialTokens: true), skipped[index] ?? expected))
    }
  }

  @Test(arguments: TokenizerFixture.names)
  func repairsBrokenTextAsTheReference(name: String) throws {
    let fixture = TokenizerFixture(name)
    let tokenizer = try fixture.tokenizer()
    for (ids, text) in zip(fixture.ids("randomIDs"), fixture.texts("randomDecoded")) {
      #expect(isSame(tokenizer.decode(try #require(ids)), try #require(text)), "\(String(describing: ids))")
    }
  }

  @Test func leavesOutIDsThatDoNotExist() throws {
    let tokenizer = try TokenizerFixture("gpt2").tokenizer()
    #expect(tokenizer.decode([-1, tokenizer.vocabularyCount, .max, .min]) == "")
  }

  @Test func longWordsAndShortWordsAreMergedAlike() throws {
    let tokenizer = try TokenizerFixture("gpt2").tokenizer()
    // A word with a digit run is cut there, so the long word is the short ones in a row only if merges never differ.
    let short = tokenizer.encode("thethethe", addsSpecialTokens: false)
    let long = tokenizer.encode(String(repeating: "thethethe", count: 1000), addsSpecialTokens: false)
    #expect(long.count == 1000 * short.count)
    #expect(tokenizer.decode(long) == String(repeating: "the", count: 3000))
  }

  /// Two texts scalar by scalar: `==` would not see normalization.
  private func isSame(_ a: String, _ b: String) -> Bool { a.unicodeScalars.elementsEqual(b.unicodeScalars) }
}
