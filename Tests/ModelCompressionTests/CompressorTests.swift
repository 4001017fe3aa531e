import MTConvTestSupport
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

/// The whole job on a model that was really trained, against transformers on the same tokens.
@Suite struct CompressorTests {
  private let folder: TemporaryFolder
  private let model: Checkpoint
  private let expected = Metrics.shared.trained

  init() throws {
    folder = TemporaryFolder()
    model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
  }

  private func set(_ name: String) throws -> CalibrationSet {
    let text = String(decoding: try FileSystem.read(Fixture.path("models/kjv-1m/" + name)), as: UTF8.self)
    return try CalibrationSet(text: text, model: model, context: expected.context, limit: expected.chunks)
  }

  @Test func dropsLayersQuantizesAndProvesIt() throws {
    var request = Compressor.Request()
    request.keptLayerCount = 9
    request.criterion = .blockInfluence
    request.quantization = QuantizationScheme()
    request.write.isDurable = false
    let compressor = Compressor(request)
    let recipe = try compressor.plan(for: model, calibration: set("calibration.txt"))
    let scores = try #require(recipe.pruning?.scores)
    for (score, reference) in zip(scores, expected.influence) { #expect(agree(score, reference, within: 1e-5)) }
    #expect(recipe.pruning?.keptLayers == expected.kept)

    var verifier = Verifier()
    verifier.emulation = .weightsOnly
    let result = try compressor.write(
      recipe, of: model, to: folder.file("small"), heldOut: set("heldout.txt"), verifier: verifier)
    #expect(result.report.passes)
    let quality = result.report.quality
    #expect(agree(quality.parentPerplexity.value, expected.perplexity.value, within: 1e-5))
    // FP8 on top of the oracle's pruned model.
    #expect(agree(quality.perplexity.value, expected.pruned.value, within: 0.02))
    #expect(abs(quality.comparison.topAgreement - expected.comparison.top_agreement) < 0.05)
    #expect(quality.byteCount < quality.parentByteCount / 2)
    let written = try #require(try Recipe(of: Checkpoint(path: folder.file("small"))))
    #expect(written == result.recipe)
    #expect(written.verification?.perplexity == quality.perplexity.value)
    #expect(written.pruning == recipe.pruning)
    let card = try folder.text(of: "small/README.md")
    #expect(card.contains("- Layers ") && card.contains("| perplexity |"))
  }

  @Test func choosesLayersByTheLossWithoutThem() throws {
    var request = Compressor.Request()
    request.keptLayerCount = 9
    let set = try set("calibration.txt")
    let plan = try #require(try Compressor(request).plan(for: model, calibration: set).pruning)
    #expect(plan.criterion == .loss)
    let losses = try LayerLossMeasurement(of: model, on: set, tokenLimit: 2048).run()
    let rises = (0..<12).map { losses[first: $0, count: 1]! - losses.baseline }
    #expect(plan.scores == rises)
    #expect(plan.droppedLayers == Array(rises.indices.sorted { rises[$0] < rises[$1] }.prefix(3)).sorted())
  }

  @Test(arguments: [PruningPlan.Criterion.angularDistance, .perplexity, .task, .explicit])
  func refusesACriterionThatItDoesNotMeasure(_ criterion: PruningPlan.Criterion) throws {
    var request = Compressor.Request()
    (request.keptLayerCount, request.criterion) = (9, criterion)
    let error = #expect(throws: CompressionError.self) {
      _ = try Compressor(request).plan(for: model, calibration: CalibrationSet(sequences: [[1, 2]]))
    }
    #expect(error?.code == .invalidPlan)
    #expect(error?.message.contains(criterion.rawValue) == true)
  }

  @Test func aGivenPlanTakesThePlaceOfMeasuring() throws {
    var request = Compressor.Request()
    request.pruning = PruningPlan(parentLayerCount: 12, keptLayers: [0, 11], criterion: .explicit)
    let recipe = try Compressor(request).plan(for: model, calibration: CalibrationSet(sequences: []))
    #expect(recipe.pruning == request.pruning)
    #expect(recipe.elementFormat == .bf16)
  }

  @Test func keepingEveryLayerMeasuresNothing() throws {
    var request = Compressor.Request()
    request.keptLayerCount = 12
    #expect(try Compressor(request).plan(for: model, calibration: CalibrationSet(sequences: [])).pruning == nil)
  }
}
