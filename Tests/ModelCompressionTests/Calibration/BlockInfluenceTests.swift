import ModelCheckpoints
import Testing

@testable import ModelCompression

@Suite struct BlockInfluenceTests {
  /// Cosines in double over F32 states that differ in the last bits.
  static let tolerance = 1e-5

  @Test(arguments: Pico.families) func agreesWithTheCosinesOfTheOracle(_ family: String) throws {
    let influence = try BlockInfluence(of: Pico.checkpoint(family), on: Pico.tokens(family))
    let expected = Metrics.shared.models[family]!.influence
    #expect(influence.tokenCount == 48)
    #expect(influence.scores.count == expected.count)
    for (score, reference) in zip(influence.scores, expected) {
      #expect(agree(score, reference, within: Self.tolerance), "\(score), expected \(reference)")
    }
  }

  @Test func doesNotDependOnHowSequencesAreBatched() throws {
    let (model, set) = (try Pico.checkpoint("qwen3"), try Pico.tokens())
    let whole = try BlockInfluence(of: model, on: set)
    let parts = try set.sequences.map { try BlockInfluence(of: model, on: CalibrationSet(sequences: [$0])) }
    for layer in whole.scores.indices {
      let mean = parts.reduce(0) { $0 + $1.scores[layer] } / Double(parts.count)
      #expect(agree(mean, whole.scores[layer], within: 1e-6))
    }
  }

  @Test func tellsItsProgressBlockByBlock() throws {
    let seen = ProgressLog()
    _ = try BlockInfluence(of: Pico.checkpoint("llama"), on: Pico.tokens(), progress: seen.handler)
    #expect(seen.entries.map(\.completed) == [1, 2, 3])
    #expect(seen.entries.allSatisfy { $0.total == 3 && $0.phase == "calibrating" })
  }

  @Test func refusesAnEmptySet() throws {
    #expect(throws: CompressionError(.notEnoughText, "")) {
      _ = try BlockInfluence(of: Pico.checkpoint("llama"), on: CalibrationSet(sequences: []))
    }
  }
}
