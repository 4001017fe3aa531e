import ModelCheckpoints
import Testing

@testable import ModelCompression

@Suite struct PerplexityTests {
  /// F32 logits, losses summed in double.
  static let tolerance = 1e-5

  @Test(arguments: Pico.families) func agreesWithTheOraclesLogits(_ family: String) throws {
    let found = try Perplexity(of: Pico.checkpoint(family), on: Pico.tokens(family))
    let expected = Metrics.shared.models[family]!.perplexity
    #expect(found.scoredTokenCount == expected.scored)
    #expect(agree(found.meanLoss, expected.mean_loss, within: Self.tolerance))
    #expect(agree(found.value, expected.value, within: Self.tolerance))
    #expect(agree(found.standardError, expected.standard_error, within: Self.tolerance))
  }

  @Test(arguments: [[[Int]](), [[5]], [[5, 6]], [[], []]]) func refusesSequencesWithNothingToScore(_ sequences: [[Int]])
  {
    #expect(throws: CompressionError(.notEnoughText, "")) {
      _ = try Perplexity(of: Pico.checkpoint("llama"), on: CalibrationSet(sequences: sequences))
    }
  }

  @Test func scoresTheShortestSequenceThatCanBe() throws {
    let found = try Perplexity(of: Pico.checkpoint("llama"), on: CalibrationSet(sequences: [[5, 6, 7]]))
    #expect(found.scoredTokenCount == 1)
    #expect(found.standardError == 0)
  }

  @Test func aModelThatGivesNaNHasNoPerplexity() throws {
    let broken = try Pico.checkpoint("llama").changing("model.norm.weight") { $0[0] = .nan }
    #expect(try Perplexity(of: broken, on: Pico.tokens()).value.isNaN)
  }
}
