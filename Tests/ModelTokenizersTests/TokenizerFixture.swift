import Testing
import MTConvTestSupport
import ModelTokenizers
import OrderedCollections
import TensorFormats

/// One folder of `Fixtures/tokenizers`: a trained tokenizer and what Hugging Face `tokenizers` makes of the texts.
struct TokenizerFixture: Sendable, CustomTestStringConvertible {
  static let names = ["gpt2", "smollm", "llama3", "qwen2"]
  static let texts: [String] = strings(json("texts.json"))

  let name: String
  let tokenizerJSON: JSON
  let configJSON: JSON
  let expected: JSON

  init(_ name: String) {
    self.name = name
    tokenizerJSON = Self.json("\(name)/tokenizer.json")
    configJSON = Self.json("\(name)/tokenizer_config.json")
    expected = Self.json("\(name)/expected.json")
  }

  var testDescription: String { name }

  func description() throws -> TokenizerDescription {
    try TokenizerDescription(tokenizerJSON: tokenizerJSON, configJSON: configJSON)
  }

  func tokenizer() throws -> Tokenizer { try Tokenizer(description()) }

  /// A list of id sequences, nil where it is the same as elsewhere.
  func ids(_ key: String) -> [[Int]?] { (expected[key]?.array ?? []).map { $0.array?.compactMap(\.int) } }

  func texts(_ key: String) -> [String?] { (expected[key]?.array ?? []).map(\.string) }

  /// A file that must be there.
  static func json(_ path: String) -> JSON {
    do {
      return try MappedFile(path: Fixture.path("tokenizers/" + path)).withBytes { try! JSON(parsing: $0) }
    } catch {
      fatalError("fixture \(path): \(error)")
    }
  }

  private static func strings(_ json: JSON) -> [String] { (json.array ?? []).compactMap(\.string) }
}
