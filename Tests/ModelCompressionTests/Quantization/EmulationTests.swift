import Foundation
import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompute
import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@testable import ModelCompression

/// What a quantized checkpoint says of activations becomes roundings in its forward pass.
@Suite struct EmulationTests {
  private let folder = TemporaryFolder()

  private static let maxima: [Site: Float] = [
    .attentionInput: 3, .attended: 1, .feedForwardInput: 2, .feedForwardInner: 0.7, .keyRotated: 4, .value: 1.5,
  ]

  private func quantized(
    _ kind: QuantizationScheme.Kind, _ dialect: QuantizationDialect = .compressedTensors, cache: Bool = false
  ) throws -> Checkpoint {
    let model = try Pico.checkpoint("llama")
    let scheme = QuantizationScheme(
      kind: kind, dialect: dialect, ignored: ["lm_head", "re:.*layers\\.1\\.mlp\\.gate"], quantizesKeyValueCache: cache,
      ranges: ActivationRanges(layers: .init(repeating: Self.maxima, count: 3)))
    try Recipe(parent: model, output: .huggingFace, elementFormat: .bf16, quantization: scheme)
      .applied(to: model).write(to: folder.file("fp8"), as: .huggingFace)
    return try Checkpoint(path: folder.file("fp8"))
  }

  private static let schemes: [(QuantizationScheme.Kind, QuantizationDialect, ActivationRounding?)] = [
    (.fp8Dynamic, .compressedTensors, .perToken), (.fp8Dynamic, .modelOpt, .perToken),
    (.fp8Block, .compressedTensors, .perGroup(128)), (.fp8Block, .fp8, .perGroup(128)),
    (.fp8Block, .transformers, .perGroup(128)), (.fp8Block, .modelOpt, .perGroup(128)),
    (.fp8Static, .compressedTensors, nil), (.fp8Static, .fp8, nil), (.fp8Static, .modelOpt, nil),
    (.fp8Static, .transformers, nil),
  ]

  @Test(arguments: schemes)
  func inputsOfQuantizedMatricesAreRoundedAsTheLayoutSays(
    _ kind: QuantizationScheme.Kind, _ dialect: QuantizationDialect, _ expected: ActivationRounding?
  ) throws {
    let model = try quantized(kind, dialect)
    let roundings = try model.roundings(.declared)
    #expect(roundings.cached.isEmpty)
    #expect(Set(roundings.inputs.keys) == Set(model.weights.filter { $0.value.scale != nil }.keys))
    #expect(roundings.inputs.count == 20, "3 layers of 7 matrices but one that is ignored")
    for (key, rounding) in roundings.inputs {
      guard let expected else {
        let scale = try #require(model.weights[key]?.inputScale).decoded()[0]
        #expect(rounding == .calibrated(scale: scale), "\(key)")
        continue
      }
      #expect(rounding == expected, "\(key)")
    }
    #expect(try model.roundings(.weightsOnly) == .none)
  }

  @Test func calibratedScalesAreThoseOfTheSiteThatAMatrixReads() throws {
    let roundings = try quantized(.fp8Static, .modelOpt, cache: true).roundings(.declared)
    let inputs: [WeightRole: Site] = [
      .query: .attentionInput, .key: .attentionInput, .value: .attentionInput, .attentionOutput: .attended,
      .gate: .feedForwardInput, .up: .feedForwardInput, .down: .feedForwardInner,
    ]
    for (role, site) in inputs {
      #expect(roundings.inputs[WeightKey(role, layer: 2)] == .calibrated(scale: Self.maxima[site]! / 448))
    }
    #expect(roundings.cached.count == 6)
    #expect(roundings.cached[WeightKey(.key, layer: 0)] == .calibrated(scale: 4 / 448))
    #expect(roundings.cached[WeightKey(.value, layer: 1)] == .calibrated(scale: 1.5 / 448))
  }

  @Test func theCacheIsRoundedWhenTheModelSaysSoOrWhenAsked() throws {
    let plain = try Pico.checkpoint("llama")
    #expect(try plain.roundings(.declared) == .none)
    let asked = try plain.roundings(Emulation(cache: .fp8))
    #expect(asked.inputs.isEmpty && asked.cached.count == 6)
    #expect(asked.cached.values.allSatisfy { $0 == .calibrated(scale: 1) })
    let calibrated = try quantized(.fp8Static, cache: true)
    #expect(try calibrated.roundings(Emulation(cache: .plain)).cached.isEmpty)
    let (fp8, auto) = (try calibrated.roundings(Emulation(cache: .fp8)), try calibrated.roundings(.declared))
    #expect(fp8 == auto && auto.cached.count == 6)
    #expect(auto.cached.values.allSatisfy { $0 != .calibrated(scale: 1) })
  }

  @Test func groupsOfCodesScaledByPowersOfTwoHavePowersOfTwoForInputsToo() throws {
    var model = try quantized(.fp8Block)
    let key = WeightKey(.up, layer: 0)
    let weight = try #require(model.weights[key])
    let scale = LazyTensor(format: .f8E8M0, shape: [1, 1], source: MemoryTensor(bytes: [127], rowByteCount: 1))
    model.weights[key]?.scale = ScaleGrid(scale, try #require(weight.scale).granularity)
    #expect(try model.roundings(.declared).inputs[key] == .perGroupInPowersOfTwo(128))
  }

  @Test(arguments: [nil, 0, -1, .nan, .infinity] as [Float?])
  func refusesACalibratedScaleThatIsNone(_ value: Float?) throws {
    var model = try quantized(.fp8Static)
    model.weights[WeightKey(.down, layer: 1)]?.inputScale = value.map { LazyTensor([$0], shape: [1]) }
    let error = #expect(throws: CheckpointError.self) { _ = try model.roundings(.declared) }
    #expect(error?.code == .invalidConfig && error?.message.contains("layers.1.mlp.down_proj") == true)
    #expect(try model.roundings(.weightsOnly) == .none)
  }

  @Test func perplexityIsWhatTheEngineComputesUnlessToldOtherwise() throws {
    let set = try Pico.tokens()
    let model = try quantized(.fp8Static, cache: true)
    let (engine, weights) = (
      try Perplexity(of: model, on: set), try Perplexity(of: model, on: set, emulation: .weightsOnly)
    )
    let activations = try Perplexity(of: model, on: set, emulation: Emulation(cache: .plain))
    #expect(Set([engine.value, weights.value, activations.value]).count == 3)
    let parent = try Pico.checkpoint("llama")
    #expect(try Perplexity(of: parent, on: set) == Perplexity(of: parent, on: set, emulation: .weightsOnly))
  }

  @Test func verificationSaysWhatItRanWith() throws {
    let parent = try Pico.checkpoint("llama")
    let model = try quantized(.fp8Static, cache: true)
    let set = try Pico.tokens()
    var verifier = Verifier()
    let engine = try verifier.verify(model, against: parent, on: set)
    #expect(engine.passes && engine.correctness.normalizedError == 0)
    #expect(engine.emulation?.activations == "calibrated, per tensor")
    #expect(engine.emulation?.keyValueCache == "calibrated scales")
    verifier.emulation = .weightsOnly
    let weights = try verifier.verify(model, against: parent, on: set)
    #expect(weights.passes && weights.emulation?.activations == nil && weights.emulation?.keyValueCache == nil)
    #expect(weights.quality.comparison.divergence < engine.quality.comparison.divergence)
    #expect(try verifier.verify(parent, against: parent, on: set).emulation == nil)
    verifier.emulation = Emulation(cache: .fp8)
    let cached = try verifier.verify(parent, against: parent, on: set)
    #expect(cached.passes && cached.quality.comparison.divergence > 0 && cached.emulation?.keyValueCache == "scale 1")
  }

  /// A scale that is lost or damaged, or a configuration that says something else, is no weight: an engine computes another model.
  @Test(arguments: ["scale", "missing scale", "configuration"])
  func whatStandsBesideTheCodesIsVerified(_ damage: String) throws {
    let parent = try Pico.checkpoint("llama")
    let scheme = QuantizationScheme(
      kind: .fp8Static, quantizesKeyValueCache: true,
      ranges: ActivationRanges(layers: .init(repeating: Self.maxima, count: 3)))
    let recipe = Recipe(parent: parent, output: .huggingFace, elementFormat: .bf16, quantization: scheme)
    try recipe.write(of: parent, to: folder.file("out"))
    let name = "model.layers.1.mlp.down_proj.input_scale"
    switch damage {
    case "scale":
      let entry = try TensorTable(folder.file("out/model.safetensors")).file.entry(name)
      try folder.flip(byte: entry.range.lowerBound + 1, of: "out/model.safetensors")
    case "missing scale":
      try folder.rewrite("out/model.safetensors", dropping: "model.layers.1.self_attn.k_scale")
    default:
      let config = try folder.text(of: "out/config.json")
      try folder.write(config.replacingOccurrences(of: "\"lm_head\"", with: "\"lm_head_\""), to: "out/config.json")
    }
    let correctness = try Verifier().verify(Checkpoint(path: folder.file("out")), against: parent, on: Pico.tokens())
      .correctness
    #expect(!correctness.passes)
    let found =
      damage == "scale"
      ? (correctness.differingTensors, name)
      : (
        correctness.unmatchedTensors,
        damage == "configuration" ? "quantization_config" : "model.layers.1.self_attn.k_scale"
      )
    #expect(found.0 == [found.1])
  }

  /// The same numbers in another format compute the same weights, whatever an engine does with one of them.
  @Test(arguments: [false, true]) func plainNumbersMadeOfCodesAreTheSameModel(hasRecipe: Bool) throws {
    let model = try quantized(.fp8Dynamic)
    if hasRecipe {
      let recipe = Recipe(parent: model, output: .huggingFace, elementFormat: .f32)
      try recipe.write(of: model, to: folder.file("plain"))
    } else {
      var plain = model.converted(to: ElementFormat.f32, for: .huggingFace)
      plain.recipe = nil
      try plain.write(to: folder.file("plain"), as: .huggingFace)
    }
    let plain = try Checkpoint(path: folder.file("plain"))
    #expect(try Verifier().verify(plain, against: model, on: Pico.tokens()).correctness.passes)
  }
}
