import OrderedCollections
import TensorFormats
import Testing

@testable import ModelTokenizers

/// The oracle is the NFC of Hugging Face `tokenizers`: Fixtures/generate/tokenizer_fixtures.py. (Foundation's form C leaves
/// a Hangul syllable and a following consonant apart.)
@Suite struct CanonicalCompositionTests {
  @Test func composesAsTheReference() throws {
    let pairs = try #require(TokenizerFixture.json("nfc.json").array)
    #expect(pairs.count == 600)
    for pair in pairs {
      let text = try #require(pair.array?.first?.string)
      let expected = try #require(pair.array?.last?.string)
      #expect(composed(text).elementsEqual(expected.utf8), "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
      #expect(composed(expected).elementsEqual(expected.utf8))
    }
  }

  @Test func composesEveryPairOfTheTable() {
    for (pair, composite) in CanonicalCompositionTable.compositions {
      let parts = [UInt32(pair >> 32), UInt32(truncatingIfNeeded: pair)].compactMap { Unicode.Scalar($0) }
      let text = String(String.UnicodeScalarView(parts))
      #expect(composed(text).elementsEqual(String(composite).utf8), "U+\(String(composite.value, radix: 16))")
    }
  }

  @Test func leavesPlainTextAlone() {
    for text in ["", "plain", "caf\u{E9}", "\u{4F60}\u{597D}", "\u{AC00}\u{1F600}"] {
      #expect(Array(text.utf8).withUnsafeBufferPointer { CanonicalComposition.normalized($0) } == nil)
    }
  }

  private func composed(_ text: String) -> [UInt8] { TextNormalizer.nfc.normalize(Array(text.utf8)) }
}
