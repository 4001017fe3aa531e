import SafetensorsFormat
import ModelArchitectures
import MTConvTestSupport
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

/// A pruned FP8 model is written; then the file is damaged in one place, or in none.
@Suite struct VerifierTests {
  private static let plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 2], criterion: .explicit)

  private let folder: TemporaryFolder
  private let parent: Checkpoint
  private let set: CalibrationSet

  init() throws {
    folder = TemporaryFolder()
    parent = try Pico.checkpoint("llama")
    set = try Pico.tokens()
    let recipe = Recipe(
      parent: parent, output: .huggingFace, pruning: Self.plan, elementFormat: .bf16,
      quantization: QuantizationScheme())
    try recipe.applied(to: parent).write(to: folder.file("out"), as: .huggingFace)
  }

  private func report(_ change: (inout Verifier) -> Void = { _ in }) throws -> VerificationReport {
    var verifier = Verifier()
    change(&verifier)
    return try verifier.verify(Checkpoint(path: folder.file("out")), against: parent, on: set)
  }

  @Test func passesTheFileThatTheRecipeMakes() throws {
    let report = try report()
    #expect(report.passes)
    #expect(report.correctness.normalizedError == 0)
    #expect(report.correctness.differingTensors.isEmpty && report.correctness.unmatchedTensors.isEmpty)
    #expect(report.quality.comparison.tokenCount == set.tokenCount)
    #expect(report.quality.comparison.divergence > 0.1)
    #expect(report.quality.perplexity.scoredTokenCount == Metrics.shared.models["llama"]!.perplexity.scored)
    let exact = report.tensors.filter(\.isExact).map(\.name)
    #expect(exact.isEmpty, "every F32 weight was rounded")
    #expect(report.tensors.count == 2 + 2 * 9)
  }

  @Test func countsTheCostAgainstTheParent() throws {
    // Without FP8 and BF16, what is left is the oracle's own pruned model.
    let recipe = Recipe(parent: parent, output: .huggingFace, pruning: Self.plan)
    try recipe.applied(to: parent).write(to: folder.file("plain"), as: .huggingFace)
    let report = try Verifier().verify(Checkpoint(path: folder.file("plain")), against: parent, on: set)
    let expected = Metrics.shared.pruned
    #expect(agree(report.quality.comparison.normalizedError, expected.comparison.normalized_error, within: 1e-5))
    #expect(agree(report.quality.comparison.divergence, expected.comparison.divergence, within: 1e-5))
    #expect(agree(report.quality.comparison.topAgreement, expected.comparison.top_agreement, within: 1e-12))
    #expect(agree(report.quality.perplexity.value, expected.perplexity.value, within: 1e-5))
    let whole = Metrics.shared.models["llama"]!.perplexity
    #expect(agree(report.quality.parentPerplexity.value, whole.value, within: 1e-5))
    #expect(agree(report.quality.parentPerplexity.standardError, whole.standard_error, within: 1e-5))
    #expect(report.tensors.allSatisfy { $0.isExact })
  }

  @Test func failsWhenAnotherTokenizerOrContextIsBesideTheWeights() throws {
    let model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    let plan = PruningPlan(parentLayerCount: 12, keptLayers: [0, 11], criterion: .explicit)
    try Recipe(parent: model, output: .huggingFace, pruning: plan).applied(to: model)
      .write(to: folder.file("kjv"), as: .huggingFace)
    func differences() throws -> [String] {
      let report = try Verifier().verify(
        Checkpoint(path: folder.file("kjv")), against: model,
        on: CalibrationSet.random(for: model, context: 16, count: 1))
      #expect(report.correctness.passes == report.correctness.differingSettings.isEmpty)
      return report.correctness.differingSettings
    }
    func replace(_ text: String, by other: String, in name: String) throws {
      let bytes = try folder.bytes(of: "kjv/" + name)
      let changed = String(decoding: bytes, as: UTF8.self).replacing(text, with: other, maxReplacements: 1)
      #expect(Array(changed.utf8) != bytes)
      try folder.write(changed, to: "kjv/" + name)
    }
    #expect(try differences() == [])
    try replace("\"max_position_embeddings\": 256", by: "\"max_position_embeddings\": 128", in: "config.json")
    #expect(try differences() == ["context length is 128, expected 256"])
    try replace("\"Ġthe\":", by: "\"Ġthx\":", in: "tokenizer.json")
    let found = try differences()
    #expect(found.count == 2 && found[1].hasSuffix("is 'Ġthx', expected 'Ġthe'"))
  }

  @Test(arguments: [
    "model.layers.0.mlp.down_proj.weight", "model.layers.1.self_attn.q_proj.weight_scale", "model.norm.weight",
    "model.embed_tokens.weight",
  ])
  func failsWhenOneBitOfATensorIsFlipped(_ name: String) throws {
    let entry = try TensorTable(folder.file("out/model.safetensors")).file.entry(name)
    try folder.flip(byte: entry.range.upperBound - 2, of: "out/model.safetensors")
    let report = try report()
    #expect(!report.passes && !report.correctness.passes)
    let weight = name.hasSuffix("_scale") ? String(name.dropLast(6)) : name
    #expect(report.correctness.differingTensors == [weight])
  }

  @Test func aFileWithoutATensorCannotBeOpened() throws {
    let path = folder.file("out/model.safetensors")
    try folder.rewrite("out/model.safetensors", dropping: "model.norm.weight")
    let error = #expect(throws: CheckpointError.self) { _ = try Checkpoint(path: folder.file("out")) }
    #expect(error?.code == .missingTensor)
    #expect(error?.message.contains("model.norm.weight") == true, "\(path)")
  }

  @Test func failsWhenTheConfigurationComputesSomethingElse() throws {
    var written = try Checkpoint(path: folder.file("out"))
    written.hyperparameters.normEpsilon *= 2
    let report = try Verifier().verify(written, against: parent, on: set)
    #expect(report.correctness.differingTensors.isEmpty)
    #expect(report.correctness.normalizedError > Verifier.defaultTolerance)
    #expect(!report.passes)
  }

  @Test func failsOnQualityOnlyWhenAsked() throws {
    #expect(try report().quality.passes)
    let ratio = try report().quality.perplexityRatio
    #expect(try report { $0.maximumPerplexityRatio = ratio * 1.001 }.passes)
    let refused = try report { $0.maximumPerplexityRatio = ratio * 0.999 }
    #expect(refused.correctness.passes && !refused.quality.passes && !refused.passes)
  }

  @Test func withoutARecipeTheTwoMustBeTheSameModel() throws {
    let same = try Verifier().verify(Pico.checkpoint("llama"), against: parent, on: set)
    #expect(same.passes)
    #expect(same.correctness.reference == "the parent as it is")
    #expect(same.quality.perplexityRatio == 1)
    var written = try Checkpoint(path: folder.file("out"))
    written.recipe = nil
    let other = try Verifier().verify(written, against: parent, on: set)
    #expect(!other.correctness.passes)
    #expect(other.correctness.unmatchedTensors.contains("model.layers.2.mlp.up_proj.weight"))
    #expect(!other.correctness.differingTensors.isEmpty)
  }

  @Test func aWeightThatIsNotANumberNeverPasses() throws {
    let broken = try Pico.checkpoint("llama").changing("model.norm.weight") { $0[3] = .nan }
    let report = try Verifier().verify(broken, against: parent, on: set)
    #expect(!report.passes)
    #expect(report.correctness.differingTensors == ["model.norm.weight"])
    // Nor when a limit is all there is: NaN is no ratio.
    var verifier = Verifier()
    verifier.maximumPerplexityRatio = 1e9
    #expect(try !verifier.verify(broken, against: parent, on: set).quality.passes)
  }

  @Test func givesTheSameReportEveryTime() throws {
    let first = try JSON(encoding: report())
    #expect(try JSON(encoding: report()) == first)
  }

  @Test func refusesAParentThatTheRecipeWasNotFor() throws {
    let error = #expect(throws: CompressionError.self) {
      _ = try Verifier().verify(Checkpoint(path: folder.file("out")), against: Pico.checkpoint("qwen2"), on: set)
    }
    #expect(error?.code == .wrongRecipe)
    #expect(error?.message.contains("for 'llama-pico' (llama, 3 layers, 40416 parameters)") == true)
  }

  @Test func refusesModelsOfDifferentVocabularies() throws {
    var other = try Pico.checkpoint("llama")
    other.hyperparameters.vocabularySize = 100
    #expect(throws: CompressionError(.wrongRecipe, "")) {
      _ = try Verifier().verify(other, against: parent, recipe: Recipe(parent: parent, output: .huggingFace), on: set)
    }
  }

  @Test func refusesTokensOutsideTheVocabulary() throws {
    #expect(throws: CompressionError(.invalidTokens, "")) {
      _ = try Verifier().verify(parent, against: parent, on: CalibrationSet(sequences: [[1, 2, 104, 3]]))
    }
  }
}
