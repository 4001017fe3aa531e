import ModelArchitectures
import ModelTokenizers
import MTConvTestSupport
import ModelCheckpoints
import Testing

@testable import ModelCompression

@Suite struct CalibrationSetTests {
  private let model: Checkpoint

  init() throws { model = try Checkpoint(path: Fixture.path("models/kjv-1m")) }

  private static let text = String(repeating: "In the beginning God created the heaven and the earth. ", count: 12)

  @Test func cutsWholeSequencesAndPutsTheBeginningBeforeTheTextAndInPlaceOfTheFirstTokenOfOthers() throws {
    let tokens = try model.tokenizer().encode(Self.text, addsSpecialTokens: false, parsesSpecialTokens: false)
    let set = try CalibrationSet(text: Self.text, model: model, context: 16, limit: nil)
    #expect(set.sequences.count == (tokens.count + 1) / 16)
    for (index, sequence) in set.sequences.enumerated() {
      #expect(sequence[0] == 1022)
      #expect(sequence[1...] == tokens[index * 16..<index * 16 + 15])
    }
    let plain = try CalibrationSet(text: Self.text, model: model, context: 16, limit: 2, beginsSequences: false)
    #expect(plain.sequences == [Array(tokens[..<16]), Array(tokens[16..<32])])
  }

  @Test func refusesTextThatIsTooShortAndSaysHowMuchThereIs() throws {
    let error = #expect(throws: CompressionError.self) {
      _ = try CalibrationSet(text: "In the beginning", model: model, context: 64, limit: nil)
    }
    #expect(error?.code == .notEnoughText)
    #expect(error?.message.contains("expected at least one sequence of 64") == true)
  }

  @Test func refusesAModelWithoutATokenizer() throws {
    let error = #expect(throws: CompressionError.self) {
      _ = try CalibrationSet(text: Self.text, model: Pico.checkpoint("llama"), context: 8, limit: nil)
    }
    #expect(error?.code == .notEnoughText)
  }

  @Test func randomTokensAreTheSameEveryTimeAndFitTheModel() throws {
    let pico = try Pico.checkpoint("llama")
    let set = CalibrationSet.random(for: pico, context: 512)
    #expect(set.sequences == CalibrationSet.random(for: pico, context: 512).sequences)
    #expect(set.sequences.allSatisfy { $0.count == pico.hyperparameters.contextLength })
    #expect(set.sequences.joined().allSatisfy { (0..<pico.hyperparameters.vocabularySize).contains($0) })
    #expect(Set(set.sequences.joined()).count > 50)
  }

  // MARK: Files

  @Test(arguments: [
    (4, [0, 5, 2, 7]), (5, [0, 8, 4, 2, 6]), (1, [0]), (9, [0, 8, 4, 2, 6, 1, 5, 3, 7]), (10, Array(0..<10)),
    (20, Array(0..<10)), (0, []),
  ])
  func takesSequencesFromAllOver(_ count: Int, _ expected: [Int]) {
    let set = CalibrationSet(sequences: (0..<10).map { [$0] })
    #expect(set.spread(to: count).sequences == expected.map { [$0] })
  }

  @Test(arguments: ["a.txt", "a.tokens"]) func readsFromAllOverAFile(_ name: String) throws {
    let text = name == "a.txt" ? Self.text : (0..<12).map(String.init).joined(separator: "\n")
    let all = try read(text, as: name, context: 4)
    try #require(all.sequences.count > 3)
    let some = try read(text, as: name, context: 4, limit: 3, isSpread: true)
    #expect(some.sequences == all.spread(to: 3).sequences)
  }

  private func read(
    _ text: String, as name: String, context: Int = 16, limit: Int? = nil, isSpread: Bool = false
  ) throws -> CalibrationSet {
    let folder = TemporaryFolder()
    let path = try folder.write(text, to: name)
    return try CalibrationSet(
      reading: TextInput(path: path), model: model, context: context, limit: limit, isSpread: isSpread)
  }

  @Test func theNameOfAFileSaysWhatItHolds() {
    let kinds: [(String, TextInput.Kind)] = [
      ("a/b.jsonl", .jsonLines(field: "body")), ("B.NDJSON", .jsonLines(field: "body")), ("a.json", .tokens),
      ("a.ids", .tokens), ("a.tokens", .tokens), ("a.txt", .text), ("jsonl", .text), ("a.jsonl/b", .text),
    ]
    for (path, kind) in kinds { #expect(TextInput(path: path, field: "body").kind == kind, "\(path)") }
  }

  @Test func everyDocumentIsCutByItself() throws {
    let tokenizer = try model.tokenizer()
    func tokens(_ text: String) -> [Int] {
      [1022] + tokenizer.encode(text, addsSpecialTokens: false, parsesSpecialTokens: false)
    }
    let long = Self.text
    let lines = [
      #"{"id": 1, "text": "\#(long)"}"#, "", #"{"text": "Amen."}"#, "\r",
      #"{"text": "And God said, Let there be light: and there was light."}"#,
    ]
    let set = try read(lines.joined(separator: "\n"), as: "a.jsonl", context: 32)
    let (first, last) = (tokens(long), tokens("And God said, Let there be light: and there was light."))
    var expected = stride(from: 0, to: first.count, by: 32).map { Array(first[$0..<min($0 + 32, first.count)]) }
    for index in expected.indices { expected[index][0] = 1022 }
    if expected.last!.count < CalibrationSet.shortestSequence { expected.removeLast() }
    #expect(tokens("Amen.").count < CalibrationSet.shortestSequence)
    #expect(last.count >= CalibrationSet.shortestSequence)
    #expect(set.sequences == expected + [last])
    #expect(
      try read(lines.joined(separator: "\n"), as: "a.jsonl", context: 32, limit: 2).sequences == Array(expected[..<2]))
    #expect(set.contentHash != CalibrationSet(sequences: expected).contentHash)
  }

  @Test func tokenIdsAreUsedAsTheyAre() throws {
    let expected = [[5, 6, 7], [8]]
    for text in ["[[5, 6, 7], [8]]", " \n[ [5,6,7],\n[8] ]\n", "5 6 7\n8\n", "5,6,\t7\r\n\r\n8"] {
      #expect(try read(text, as: "a.tokens", context: 2).sequences == expected, "\(text)")
    }
    #expect(try read("1\n2\n3", as: "a.tokens", limit: 2).sequences == [[1], [2]])
  }

  @Test(arguments: [("a.txt", text), ("a.jsonl", #"{"text": "\#(text)"}"#), ("a.tokens", "5 6 7\n8")])
  func theMarkOfAnEditorIsNoText(name: String, text: String) throws {
    #expect(try read("\u{FEFF}" + text, as: name).sequences == read(text, as: name).sequences)
  }

  static let refused: [(name: String, text: String, message: String)] = [
    ("a.jsonl", "{\"text\": \"x\"", "line 1: "),
    ("a.jsonl", "\n[1]", "line 2: not a JSON object"),
    ("a.jsonl", "{\"body\": \"x\", \"id\": 1}", "line 1: no field 'text', found 'body', 'id'"),
    ("a.jsonl", "{\"text\": [{\"role\": \"user\"}]}", "line 1: field 'text' is not a string"),
    ("a.jsonl", "{\"text\": \"Amen.\"}", "1 documents, none of 8 tokens or more"),
    ("a.jsonl", "", "0 documents"),
    ("a.tokens", "1 2 x 4", "line 1: 'x' is no token id"),
    ("a.tokens", "1\n2 99999999999999999999", "line 2: "),
    ("a.tokens", "1 1024", "token 1024 is not in the vocabulary of 1024"),
    ("a.tokens", "[[1, -1]]", "token -1 is not in the vocabulary of 1024"),
    ("a.tokens", "[1, 2]", "element 1 is not an array of token ids"),
    ("a.tokens", "[[1], [2.5]]", "element 2 is not an array of token ids"),
    ("a.tokens", "[[1], []]", "sequence 2 has no tokens"),
    ("a.tokens", "[[1]", "at byte"),
    ("a.tokens", "\n \n", "no sequence of token ids"),
    ("a.tokens", String(repeating: "7 ", count: 2000), "the model was made for at most"),
    ("a.txt", "Amen.", "expected at least one sequence of 16"),
  ]

  @Test(arguments: refused.indices) func refusesWhatIsNoTextInOneLine(_ index: Int) throws {
    let (name, text, message) = Self.refused[index]
    let error = #expect(throws: CompressionError.self) { _ = try read(text, as: name) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "nothing")")
    #expect(error?.message.contains(name) == true)
    #expect(error?.message.contains("\n") == false)
  }
}
