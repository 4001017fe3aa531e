import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompute
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCompression

struct DistillerTests {
  private let state = "state.safetensors"

  @Test func aStudentComesCloserToItsTeacher() throws {
    let learner = try Learner()
    let folder = TemporaryFolder()
    let outcome = try learner.distiller(learner.settings, folder).run()
    let (before, after) = (try #require(outcome.start.divergence), try #require(outcome.best.divergence))
    #expect(after < before / 3)
    #expect((outcome.steps, outcome.skippedSteps, outcome.isStopped) == (10, 0, false))
    let trained = try learner.student.replacing(try #require(outcome.weights))
    let quality = try HeldOut(learner.heldOut, teacher: Teacher(learner.teacher)) { _ in }.quality(of: trained.network)
    #expect(abs(try #require(quality.divergence) - after) < 1e-6)
    // A line for every step and for every look.
    #expect(try folder.text(of: "log.jsonl").split(separator: "\n").count == 10 + 6)
  }

  @Test(arguments: [nil, TeacherCache.Content.exact, .top(16)])
  func aStoppedRunGoesOnBitByBit(_ cache: TeacherCache.Content?) throws {
    let learner = try Learner("qwen3")
    let data = try learner.rows(of: 12)
    var settings = learner.settings
    settings.context = 12
    settings.steps = 8
    let (whole, parts) = (TemporaryFolder(), TemporaryFolder())
    _ = try learner.distiller(settings, whole, on: data, cache: cache).run()
    var steps = 0
    let first = try learner.distiller(settings, parts, on: data, cache: cache).run(
      progress: { _ in steps += 1 }, isStopped: { steps == 3 })
    #expect(first.isStopped && first.steps == 3)
    let second = try learner.distiller(settings, parts, on: data, resuming: true, cache: cache).run()
    #expect(!second.isStopped)
    #expect(try whole.bytes(of: state) == parts.bytes(of: state))
    #expect(try whole.bytes(of: "best.safetensors") == parts.bytes(of: "best.safetensors"))
  }

  @Test func aKeptTeacherTeachesTheSame() throws {
    let learner = try Learner()
    let data = try learner.rows(of: 12)
    var settings = learner.settings
    settings.context = 12
    settings.steps = 6
    let (live, kept) = (TemporaryFolder(), TemporaryFolder())
    _ = try learner.distiller(settings, live, on: data).run()
    _ = try learner.distiller(settings, kept, on: data, cache: .exact).run()
    #expect(try live.bytes(of: state) == kept.bytes(of: state))
    #expect(try kept.names().contains { $0.hasPrefix("teacher-exact-") })
  }

  @Test func anotherRunIsNotResumed() throws {
    let learner = try Learner()
    let folder = TemporaryFolder()
    var settings = learner.settings
    settings.steps = 2
    _ = try learner.distiller(settings, folder).run()
    #expect(throws: CompressionError(.wrongState, "")) { try learner.distiller(settings, folder) }
    settings.learningRate = 1
    let error = #expect(throws: CompressionError.self) { try learner.distiller(settings, folder, resuming: true) }
    #expect(try #require(error).message.contains("other settings (learningRate 0.002, now 1.0)"))
    settings.learningRate = learner.settings.learningRate
    let otherText = CalibrationSet(sequences: learner.heldOut.sequences.reversed())
    var work = Distiller.Work(folder: folder.path)
    work.resumes = true
    let textError = #expect(throws: CompressionError.self) {
      try Distiller(
        learner.student, from: learner.teacher, plan: learner.plan, on: learner.data, heldOut: otherText,
        settings: settings, work: work)
    }
    #expect(try #require(textError).message.contains("other held-out text"))
    try folder.write("{}", to: state)
    #expect(throws: (any Error).self) { try learner.distiller(learner.settings, folder, resuming: true) }
  }

  @Test func aRunThatSavedNothingBeginsAnew() throws {
    let learner = try Learner()
    let (folder, whole) = (TemporaryFolder(), TemporaryFolder())
    var settings = learner.settings
    settings.steps = 2
    try folder.write("{\"step\": 1, \"loss\": 3}\n", to: "log.jsonl")
    let outcome = try learner.distiller(settings, folder, resuming: true).run()
    #expect(outcome.steps == 2)
    _ = try learner.distiller(settings, whole).run()
    #expect(try folder.bytes(of: state) == whole.bytes(of: state))
    #expect(try folder.text(of: "log.jsonl").split(separator: "\n").count == 2 + 2)
  }

  @Test func anotherTeacherIsNotTakenFromTheCache() throws {
    let learner = try Learner()
    let folder = TemporaryFolder()
    var settings = learner.settings
    settings.steps = 1
    let other = try learner.teacher.changing("model.layers.1.mlp.down_proj.weight") { $0[0] += 1 }
    for teacher in [learner.teacher, other] {
      var work = Distiller.Work(folder: folder.path)
      work.cache = .exact
      // Never on the way.
      work.saveInterval = .infinity
      _ = try Distiller(
        learner.student, from: teacher, on: learner.data, heldOut: learner.heldOut, settings: settings, work: work
      ).run()
      try FileSystem.removeFile(work.statePath)
    }
    #expect(try folder.names().count { $0.hasPrefix("teacher-exact-") } == 2)
  }

  @Test func stepsThatCannotBeCountedAreRefused() {
    var settings = DistillationSettings(tokens: .max, context: .max, rowsPerStep: .max)
    #expect(settings.steps == 1 && settings.tokensPerStep == .max)
    #expect(throws: CompressionError(.invalidSettings, "")) { try settings.validate() }
    settings = DistillationSettings(tokens: 1000, context: 512, rowsPerStep: 1)
    #expect(settings.steps == 2)
    settings.steps = .max
    #expect(throws: CompressionError(.invalidSettings, "")) { try settings.validate() }
    settings.steps = 2
    settings.trained = .lowRank(.init(rank: 1 << 20))
    #expect(throws: CompressionError(.invalidSettings, "")) { try settings.validate() }
  }

  @Test func numbersThatMeanNothingAreRefused() throws {
    let changes: [(inout DistillationSettings) -> Void] = [
      { $0.temperature = .infinity }, { $0.temperature = .nan }, { $0.learningRate = .infinity },
      { $0.minimumLearningRate = .nan }, { $0.clippingNorm = .infinity }, { $0.optimizer.weightDecay = .nan },
      { $0.optimizer.weightDecay = .infinity }, { $0.optimizer.weightDecay = -0.1 },
    ]
    for change in changes {
      var settings = DistillationSettings()
      try settings.validate()
      change(&settings)
      #expect(throws: CompressionError(.invalidSettings, "")) { try settings.validate() }
    }
  }

  @Test func whatDiffersOfARunIsNamedWithBothValues() throws {
    let learner = try Learner()
    let folder = TemporaryFolder()
    var settings = learner.settings
    settings.steps = 1
    _ = try learner.distiller(settings, folder).run()
    settings.optimizer.weightDecay = 0.5
    settings.trained = .normsAndLast(layers: 1)
    let error = #expect(throws: CompressionError.self) { try learner.distiller(settings, folder, resuming: true) }
    #expect(error?.message.contains("trained.lastLayers none, now 1") == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("optimizer.weightDecay 0.1, now 0.5") == true, "\(error?.message ?? "")")
  }

  @Test func whatGotWorseIsNotKept() throws {
    let learner = try Learner()
    var settings = learner.settings
    (settings.learningRate, settings.minimumLearningRate, settings.steps) = (30, 30, 4)
    let folder = TemporaryFolder()
    let outcome = try learner.distiller(settings, folder).run()
    #expect(outcome.weights == nil)
    #expect(outcome.best == outcome.start && outcome.bestStep == 0)
  }

  @Test func stepsWithoutFiniteGradientsAreSkippedAndEndARun() throws {
    let learner = try Learner()
    let broken = try learner.student.changing("model.layers.1.mlp.down_proj.weight") { $0[5] = .nan }
    let folder = TemporaryFolder()
    let distiller = try Distiller(
      broken, from: learner.teacher, plan: learner.plan, on: learner.data, heldOut: learner.heldOut,
      settings: learner.settings, work: Distiller.Work(folder: folder.path))
    let outcome = try distiller.run()
    #expect(outcome.weights == nil && !outcome.isStopped && outcome.steps == 4)
    #expect(outcome.divergence?.message.contains("4 of 4 steps gave no finite gradient") == true)
    #expect(DistillationReport(outcome, settings: learner.settings).divergence == outcome.divergence)
    #expect(try folder.text(of: "log.jsonl").contains("\"isSkipped\":true"))
    #expect(try folder.names().contains(state))
  }

  @Test func finetuningNeedsNoTeacher() throws {
    let learner = try Learner("nemotron")
    var settings = learner.settings
    settings.objective = .crossEntropy
    let folder = TemporaryFolder()
    let outcome = try learner.distiller(settings, folder).run()
    #expect(outcome.best.divergence == nil)
    #expect(outcome.best.perplexity.value < outcome.start.perplexity.value)
  }

  @Test func blocksLearnByThemselvesFirst() throws {
    for family in ["llama", "gemma2", "phi"] {
      let learner = try Learner(family)
      let pass = try learner.pass(
        {
          var s = learner.settings; s.blockWarmUpSteps = 5; return s
        }())
      let optimizer = AdamW(learner.settings.optimizer)
      var losses: [Double] = []
      for step in 0..<5 {
        pass.gradients.reset()
        losses.append(try pass.accumulate(step: step, isWarmUp: true))
        optimizer.update(pass.parameters, by: pass.gradients, learningRate: 2e-3)
      }
      #expect(losses[4] < losses[0], "\(family): \(losses)")
      #expect(pass.gradients[WeightKey(.embedding)] == nil)
    }
  }

  @Test func onlyWhatIsAskedForIsTrained() throws {
    let learner = try Learner("qwen3")
    var settings = learner.settings
    settings.trained = .normsAndLast(layers: 1)
    let pass = try learner.pass(settings)
    let keys = Set(pass.weights.results.keys)
    #expect(keys.contains(WeightKey(.down, layer: 1)) && !keys.contains(WeightKey(.down, layer: 0)))
    #expect(keys.contains(WeightKey(.attentionNorm, layer: 0)) && !keys.contains(WeightKey(.embedding)))
    _ = try pass.accumulate(step: 0, isWarmUp: false)
    #expect(Set(pass.gradients.matrices.keys) == keys)
    #expect(settings.trained.parameterCount(of: learner.student) == pass.parameters.reduce(0) { $0 + $1.values.count })
  }

  @Test func lowRankAdaptationChangesNothingAtFirstAndIsMergedAtTheEnd() throws {
    let learner = try Learner()
    var settings = learner.settings
    settings.trained = .lowRank(.init(rank: 2))
    settings.learningRate = 2e-2
    settings.minimumLearningRate = 2e-2
    let pass = try learner.pass(settings)
    let tokens = learner.heldOut.sequences[0]
    #expect(try pass.network.logits(tokens).array == learner.student.network.logits(tokens).array)
    let folder = TemporaryFolder()
    let outcome = try learner.distiller(settings, folder).run()
    #expect(try #require(outcome.best.divergence) < 0.9 * (try #require(outcome.start.divergence)))
    let overlay = try #require(outcome.weights)
    #expect(overlay.weights.keys.contains(WeightKey(.query, layer: 0)))
    #expect(!overlay.weights.keys.contains(WeightKey(.embedding)))
  }

  @Test func scaledCodesAreNotTrained() throws {
    let student = try Learner().student.quantized(by: QuantizationScheme())
    #expect(throws: CompressionError(.invalidSettings, "")) { try student.checkTrainable(.huggingFace) }
  }
}
