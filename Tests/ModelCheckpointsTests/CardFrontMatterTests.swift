import TensorFormats
import Testing

@testable import ModelCheckpoints

@Suite struct CardFrontMatterTests {
  private static let card = """
    ---
    library_name: transformers
    license: "apache-2.0"
    language:
    - en
    - de
    base_model: [a/b, c/d]
    # a comment
    model-index:
      - name: x
        results: []
    ---

    # Title
    license: none
    """

  @Test func readsPlainValuesAndFirstsOfLists() {
    let matter = CardFrontMatter(Array(Self.card.utf8))
    #expect(matter.entries.map(\.key) == ["library_name", "license", "language", "base_model", "model-index"])
    #expect(matter.scalar("license") == "apache-2.0")
    #expect(matter.scalar("language") == "en")
    #expect(matter.scalar("base_model") == nil && matter.scalar("model-index") == nil && matter.scalar("tags") == nil)
    #expect(matter.lines("language") == ["language:", "- en", "- de"])
    #expect(matter.body == "\n# Title\nlicense: none")
  }

  @Test(arguments: ["", "# Title", "---\nlicense: mit\n", "--- \nlicense: mit\n---\n"])
  func aCardWithoutFrontMatterHasNone(card: String) {
    #expect(CardFrontMatter(Array(card.utf8)).entries.isEmpty)
  }

  @Test func linesMayEndAsOnWindows() {
    #expect(CardFrontMatter(Array("---\r\nlicense: mit\r\n---\r\ntext".utf8)).scalar("license") == "mit")
  }
}
