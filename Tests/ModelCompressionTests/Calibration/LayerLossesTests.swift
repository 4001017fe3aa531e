import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

/// Against transformers with the layers skipped by hand (Fixtures/generate/layer_losses.py).
@Suite struct LayerLossesTests {
  static let tolerance = 1e-5

  private struct Reference: Decodable {
    let baseline: Double
    let losses: [String: [Double]]
  }

  private static let oracle: [String: Reference] = {
    let bytes = try! FileSystem.read(Fixture.path("compression/layer_losses.json"))
    return try! JSON(parsing: bytes).decoded()
  }()

  @Test(arguments: Pico.families) func equalsAModelThatSkipsTheLayers(_ family: String) throws {
    let model = try Pico.checkpoint(family)
    let layers = model.hyperparameters.layerCount
    let losses = try LayerLossMeasurement(of: model, on: Pico.tokens(family), lengths: Array(1..<layers)).run()
    let expected = try #require(Self.oracle[family])
    #expect(agree(losses.baseline, expected.baseline, within: Self.tolerance))
    #expect(losses.tokenCount == 48)
    #expect(losses.lengths == Array(1..<layers))
    for (length, row) in expected.losses {
      for (first, reference) in row.enumerated() {
        let loss = try #require(losses[first: first, count: Int(length)!])
        #expect(
          agree(loss, reference, within: Self.tolerance), "\(length) from \(first): \(loss), expected \(reference)")
      }
    }
    #expect(losses[first: 0, count: layers] == nil)
    #expect(losses[first: layers, count: 1] == nil)
  }

  @Test func theBaselineIsTheLossOfPerplexity() throws {
    let (model, set) = (try Pico.checkpoint("qwen3"), try Pico.tokens())
    let losses = try LayerLossMeasurement(of: model, on: set).run()
    #expect(losses.baseline == (try Perplexity(of: model, on: set).meanLoss))
    #expect(losses.lengths == [1])
  }

  @Test func saysWhatItWillCostAndReportsEveryBlockPass() throws {
    let seen = ProgressLog()
    let measurement = try LayerLossMeasurement(of: Pico.checkpoint("llama"), on: Pico.tokens(), lengths: [2])
    // The model itself, 2 + 1 + 0 behind one skipped layer, 1 + 0 behind two.
    #expect(measurement.blockPasses == 3 + 3 + 1)
    #expect(measurement.runCount == 5)
    #expect(try measurement.estimatedSeconds() > 0)
    _ = try measurement.run(progress: seen.handler)
    #expect(seen.entries.last?.completed == 7)
    #expect(seen.entries.allSatisfy { $0.total == 7 })
  }

  @Test func usesWholeSequencesUpToTheTokenLimitAndAtLeastOne() throws {
    let (model, set) = (try Pico.checkpoint("llama"), try Pico.tokens())
    for (limit, expected) in [(1, 24), (24, 24), (47, 24), (48, 48)] {
      #expect(try LayerLossMeasurement(of: model, on: set, tokenLimit: limit).tokenCount == expected)
    }
  }

  @Test(arguments: [0, 3, 4]) func refusesALengthThatLeavesNoLayer(_ length: Int) throws {
    #expect(throws: CompressionError(.invalidPlan, "")) {
      _ = try LayerLossMeasurement(of: Pico.checkpoint("llama"), on: Pico.tokens(), lengths: [length])
    }
  }

  @Test func refusesASetWithNothingToScore() throws {
    #expect(throws: CompressionError(.notEnoughText, "")) {
      _ = try LayerLossMeasurement(of: Pico.checkpoint("llama"), on: CalibrationSet(sequences: [[1, 2]]))
    }
  }
}
