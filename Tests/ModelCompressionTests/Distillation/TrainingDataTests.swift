import ModelCheckpoints
import MTConvTestSupport
import TensorFormats
import Testing

@testable import ModelCompression

struct TrainingDataTests {
  @Test func documentsArePackedIntoRows() throws {
    let data = try TrainingData(documents: [[1, 2, 3], [4, 5, 6, 7, 8, 9], [], [10, 11]], context: 4)
    #expect(data.rows == [[[1, 2, 3], [4]], [[5, 6, 7, 8]]])
    #expect(throws: CompressionError(.notEnoughText, "")) { try TrainingData(documents: [[1, 2]], context: 4) }
    // Nothing follows anything.
    #expect(throws: CompressionError(.notEnoughText, "")) { try TrainingData(documents: [[1], [2], [3]], context: 2) }
  }

  @Test func everyRowComesOnceInAnEpochAndTheOrderIsFixed() throws {
    let data = try TrainingData(documents: [Array(0..<40)], context: 4)
    let first = (0..<10).map { data.row(at: $0, seed: 7) }
    let second = (10..<20).map { data.row(at: $0, seed: 7) }
    #expect(first.sorted() == Array(0..<10) && second.sorted() == Array(0..<10))
    #expect(first != second)
    #expect(first == (0..<10).map { data.row(at: $0, seed: 7) })
    #expect(first != (0..<10).map { data.row(at: $0, seed: 8) })
  }

  @Test func fingerprintsTellTextsApart() throws {
    let a = try TrainingData(documents: [[1, 2, 3, 4]], context: 4)
    let b = try TrainingData(documents: [[1, 2], [3, 4]], context: 4)
    #expect(a.fingerprint != b.fingerprint)
  }

  @Test func layersArePairedByThePlan() throws {
    let learner = try Learner("gemma2")
    let pairing = try LayerPairing(student: learner.student, teacher: learner.teacher, plan: learner.plan)
    #expect(pairing.inputDepths == [0, 3] && pairing.depths == [3, 4])
    #expect(pairing.channels == nil)
    let even = try LayerPairing(student: learner.student, teacher: learner.teacher, plan: nil)
    #expect(even.inputDepths == [0, 2] && even.depths == [2, 4])
    let other = PruningPlan(parentLayerCount: 9, keptLayers: [0, 1], criterion: .explicit)
    #expect(throws: CompressionError(.wrongRecipe, "")) {
      try LayerPairing(student: learner.student, teacher: learner.teacher, plan: other)
    }
  }

  @Test func jsonLinesAreDocuments() throws {
    let folder = TemporaryFolder()
    let path = try folder.write("{\"text\": \"one\"}\n\n{\"text\": \"two\", \"id\": 3}\n", to: "a.jsonl")
    let model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    let data = try TrainingData(reading: TextInput(path: path), model: model, context: 2)
    // A document begins and ends with its own token.
    let whole = data.rows.joined().joined()
    #expect(data.rows.count >= 2 && whole.filter { $0 == whole.first! }.count == 2)
    let wrong = try folder.write("{\"text\": \"one\"}\n{\"body\": \"two\"}\n", to: "b.jsonl")
    let error = #expect(throws: CompressionError.self) {
      try TrainingData(reading: TextInput(path: wrong), model: model, context: 2)
    }
    #expect(try #require(error).message.contains("line 2"))
  }

  @Test func theLearningRateWarmsUpAndFalls() {
    var settings = DistillationSettings()
    (settings.learningRate, settings.minimumLearningRate, settings.warmUpSteps, settings.steps) = (1, 0.1, 4, 14)
    #expect(settings.learningRate(at: 0) == 0.25 && settings.learningRate(at: 3) == 1)
    #expect(settings.learningRate(at: 4) == 1 && abs(settings.learningRate(at: 9) - 0.55) < 1e-12)
    #expect(abs(settings.learningRate(at: 14) - 0.1) < 1e-12)
  }
}
