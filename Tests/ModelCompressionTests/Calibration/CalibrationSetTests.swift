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

  @Test func cutsWholeSequencesAndPutsTheBeginningInPlaceOfTheFirstToken() throws {
    let tokens = try model.tokenizer().encode(Self.text, addsSpecialTokens: false, parsesSpecialTokens: false)
    let set = try CalibrationSet(text: Self.text, model: model, context: 16, limit: nil)
    #expect(set.sequences.count == tokens.count / 16)
    for (index, sequence) in set.sequences.enumerated() {
      #expect(sequence[0] == 1022)
      #expect(sequence[1...] == tokens[index * 16 + 1..<(index + 1) * 16])
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
}
