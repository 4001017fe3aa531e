import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import ModelCompute
import OrderedCollections
import TensorFormats
import Testing

@Suite("Healing without training")
struct HealerTests {
  /// Token ids that a seed gives, so that every run reads the same.
  private static func text(_ model: Checkpoint, seed: UInt64 = 1, sequences: Int = 10, length: Int = 32)
    -> CalibrationSet
  {
    var state = seed
    let size = UInt64(model.hyperparameters.vocabularySize)
    return CalibrationSet(
      sequences: (0..<sequences).map { _ in
        (0..<length).map { _ in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Int((state >> 33) % size)
        }
      })
  }

  private static func healer(_ configure: (inout Healer.Settings) -> Void = { _ in }) -> Healer {
    var settings = Healer.Settings()
    settings.ridges = [0.03, 0.3]
    configure(&settings)
    return Healer(settings)
  }

  /// A cut of one kind or of all.
  enum Cut: String, CaseIterable, Sendable { case layers, neurons, heads, hidden, everything }

  private static func plan(_ cut: Cut, of model: Checkpoint) -> PruningPlan {
    let sizes = model.hyperparameters
    let all = cut == .everything
    let layers = (0..<sizes.layerCount).filter { $0 != 1 || !(cut == .layers || all) }
    var plan = PruningPlan(parentLayerCount: sizes.layerCount, keptLayers: layers, criterion: .explicit)
    let group = sizes.queryHeadCount / sizes.keyValueHeadCount
    if cut == .hidden || all { plan.keptIndices[ScopedAxis(.hidden)] = Array(0..<sizes.hiddenSize * 3 / 4) }
    for layer in layers {
      if cut == .neurons || all {
        plan.keptIndices[ScopedAxis(.intermediate, layer: layer)] = Array(0..<sizes.intermediateSize * 3 / 4)
      }
      if (cut == .heads || all), group > 1 {
        plan.keptIndices[ScopedAxis(.queryHead, layer: layer)] = (0..<sizes.keyValueHeadCount).map { $0 * group }
      }
    }
    return plan
  }

  @Test func weightsMayWaitOnTheDisk() throws {
    let model = try Pico.checkpoint("llama")
    let plan = Self.plan(.everything, of: model)
    let folder = TemporaryFolder()
    var healer = Self.healer()
    let inMemory = try healer.heal(model, plan: plan, on: Self.text(model)).overlay
    healer.scratchFolder = folder.path
    let onDisk = try healer.heal(model, plan: plan, on: Self.text(model)).overlay
    #expect(try FileSystem.names(in: folder.path).isEmpty)
    #expect(inMemory.weights.keys == onDisk.weights.keys)
    for (key, tensor) in inMemory.weights { #expect(try tensor.bytes() == onDisk.weights[key]!.bytes(), "\(key)") }
    healer.scratchFolder = folder.path + "/none"
    #expect(throws: FileError.self) { try healer.heal(model, plan: plan, on: Self.text(model)) }
  }

  @Test(arguments: Pico.families, Cut.allCases)
  func bringsEveryFamilyNearerToItsParent(family: String, cut: Cut) throws {
    let model = try Pico.checkpoint(family)
    let plan = Self.plan(cut, of: model)
    let healing = try Self.healer().heal(model, plan: plan, on: Self.text(model))
    let pruned = try model.pruned(by: plan)
    guard pruned.parameterCount < model.parameterCount else { return }
    let other = Self.text(model, seed: 99, sequences: 2)
    let wanted = try model.logits(of: other)
    let before = normalizedError(wanted, try pruned.logits(of: other))
    let after = normalizedError(wanted, try pruned.replacing(healing.overlay).logits(of: other))
    #expect(after < before, "on text that healing has not seen: \(before) became \(after)")
    for step in healing.steps {
      #expect(step.isKept == (step.reason == nil))
      #expect(step.isKept ? step.errorAfter < step.errorBefore : step.errorAfter == step.errorBefore)
    }
    let kept = Set(healing.steps.filter(\.isKept).flatMap(\.weights))
    #expect(kept == Set(healing.overlay.weights.keys.map { pruned.huggingFaceName(of: $0) }))
  }

  /// Every replaced weight, and which ones are: numpy in F64 (Fixtures/generate/healing.py).
  @Test func equalsAnIndependentComputation() throws {
    let oracle = try TensorTable(fixture: "compression/healing.safetensors")
    let model = try Pico.checkpoint("llama")
    var plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 2], criterion: .explicit)
    for layer in plan.keptLayers { plan.keptIndices[ScopedAxis(.intermediate, layer: layer)] = Array(0..<72) }
    let set = CalibrationSet(sequences: try oracle.sequences("tokens"))
    let healing = try Self.healer { $0.correction = 0.5 }.heal(model, plan: plan, on: set)
    let pruned = try model.pruned(by: plan)
    let names = healing.overlay.weights.keys.map { pruned.huggingFaceName(of: $0) }
    #expect(Set(names) == oracle.names.subtracting(["tokens"]))
    for (name, tensor) in zip(names, healing.overlay.weights.values) {
      let error = normalizedError(try oracle.floats(name), try tensor.decoded())
      #expect(error < 1e-8, "\(name)")
    }
  }

  @Test func nothingIsHealedWhereNothingWasCut() throws {
    let model = try Pico.checkpoint("llama")
    let plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 1, 2], criterion: .explicit)
    let healing = try Self.healer().heal(model, plan: plan, on: Self.text(model))
    #expect(healing.overlay.weights.isEmpty)
    #expect(!healing.steps.isEmpty)
    #expect(healing.steps.allSatisfy { $0.reason == "nothing to heal" })
  }

  /// Of two neurons that compute the same, one can do the work of both.
  @Test func findsTheWeightsOfADroppedTwin() throws {
    var model = try Pico.checkpoint("llama")
    for layer in 0..<3 {
      for name in ["gate_proj", "up_proj"] {
        model = try model.changing("model.layers.\(layer).mlp.\(name).weight") { values in
          let width = values.count / 96
          for column in 0..<width { values[95 * width + column] = values[column] }
        }
      }
    }
    var plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 1, 2], criterion: .explicit)
    for layer in 0..<3 { plan.keptIndices[ScopedAxis(.intermediate, layer: layer)] = Array(0..<95) }
    let set = Self.text(model)
    let healing = try Self.healer { $0.ridges = [1e-9] }.heal(model, plan: plan, on: set)
    let pruned = try model.pruned(by: plan)
    let other = Self.text(model, seed: 5, sequences: 1)
    let wanted = try model.logits(of: other)
    #expect(normalizedError(wanted, try pruned.logits(of: other)) > 1e-4)
    #expect(normalizedError(wanted, try pruned.replacing(healing.overlay).logits(of: other)) < 1e-8)
  }

  @Test func aFitThatDoesNotHoldOnOtherTextIsDropped() throws {
    let model = try Pico.checkpoint("llama")
    let plan = Self.plan(.neurons, of: model)
    // Fewer tokens than neurons and no ridge to speak of: the fit is perfect, and worthless.
    let set = Self.text(model, sequences: 2, length: 30)
    let healing = try Self.healer { $0.ridges = [1e-7] }.heal(model, plan: plan, on: set)
    let dropped = healing.steps.filter { !$0.isKept && $0.kind == .output }
    #expect(dropped.contains { $0.reason == "no strength lowers the held-out error" })
    for step in dropped { #expect(step.weights.allSatisfy { name in !healing.overlay.holds(name, of: model) }) }
  }

  @Test func theSameTextGivesTheSameBytes() throws {
    let folder = TemporaryFolder()
    let model = try Pico.checkpoint("qwen2")
    let plan = Self.plan(.everything, of: model)
    for name in ["a", "b"] {
      let healing = try Self.healer().heal(model, plan: plan, on: Self.text(model))
      try healing.overlay.write(to: folder.file("\(name).safetensors"))
      try healing.report.write(to: folder.file("\(name).json"))
    }
    #expect(try folder.bytes(of: "a.safetensors") == folder.bytes(of: "b.safetensors"))
    #expect(try folder.bytes(of: "a.json") == folder.bytes(of: "b.json"))
    let report: HealingReport = try JSON(parsing: folder.bytes(of: "a.json")).decoded()
    #expect(report.tokens == 320)
    #expect(report.heldOutTokens == 64)
  }

  @Test func oneSequenceIsNotEnough() throws {
    let model = try Pico.checkpoint("llama")
    #expect(throws: CompressionError(.notEnoughText, "")) {
      _ = try Self.healer().heal(model, plan: Self.plan(.neurons, of: model), on: Self.text(model, sequences: 1))
    }
  }

  @Test func cancellationEndsIt() async throws {
    let model = try Pico.checkpoint("llama")
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      _ = try Self.healer().heal(model, plan: Self.plan(.neurons, of: model), on: Self.text(model))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}

extension WeightOverlay {
  fileprivate func holds(_ name: String, of model: Checkpoint) -> Bool {
    weights.keys.contains { model.huggingFaceName(of: $0) == name }
  }
}
