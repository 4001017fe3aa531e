import MTConvTestSupport
import ModelCheckpoints
import Testing

@testable import ModelCompression

/// Against lm-eval itself, on questions made for it: brackets, spaces at ends, quotes, letters that change their case in odd ways.
@Suite struct EvaluationTaskTests {
  /// Σ log p in nats: F32 logits of two implementations.
  static let tolerance = 1e-4

  @Test(arguments: TaskCase.all) func asksWhatTheHarnessAsks(_ test: TaskCase) throws {
    let items = try test.items()
    let expected = test.oracle.items(like: items)
    #expect(items.count == expected.count)
    for (item, oracle) in zip(items, expected) {
      #expect(item.choices.map(\.context) == oracle.requests.map(\.context))
      #expect(item.choices.map(\.continuation) == oracle.requests.map(\.continuation))
    }
  }

  @Test(arguments: TaskCase.all) func splitsTokensWhereTheHarnessDoes(_ test: TaskCase) throws {
    let questions = try test.questions()
    var truncated = 0
    for (requests, oracle) in zip(questions.requests, test.oracle.items(like: questions.items)) {
      for (request, oracle) in zip(requests, oracle.requests) {
        #expect(Array(request.continuation) == oracle.continuation_tokens)
        // The model was made for 256 tokens; the last of 257 is only predicted.
        let whole = oracle.context_tokens + oracle.continuation_tokens
        #expect(request.tokens == Array(whole.suffix(257)))
        truncated += whole.count > 257 ? 1 : 0
      }
    }
    #expect(questions.truncatedCount == truncated)
    #expect((truncated > 0) == (test.shots == 5))
  }

  @Test(arguments: TaskCase.all) func scoresAsTheHarnessDoes(_ test: TaskCase) throws {
    let questions = try test.questions()
    let oracle = test.oracle
    let items = oracle.items(like: questions.items)
    let result = TaskResult(questions: questions, logLikelihoods: items.map { $0.requests.map(\.log_likelihood) })
    #expect(result.isRight == items.map { $0.acc == 1 })
    let score = result.score
    expect(score.accuracy, oracle.acc, oracle.acc_stderr)
    #expect((score.normalizedAccuracy == nil) == (oracle.acc_norm == nil))
    if let normalized = score.normalizedAccuracy {
      #expect(result.isRightNormalized == items.map { $0.acc_norm == 1 })
      expect(normalized, oracle.acc_norm!, oracle.acc_norm_stderr!)
    }
    #expect(score.subjects.map(\.name) == (oracle.subjects ?? [:]).keys.sorted())
    for subject in score.subjects {
      let oracle = oracle.subjects![subject.name]!
      #expect(subject.itemCount == oracle.items.count)
      expect(subject.accuracy, oracle.acc, oracle.acc_stderr)
    }
  }

  private func expect(_ found: TaskScore.Estimate, _ value: Double, _ error: Double) {
    #expect(abs(found.value - value) < 1e-12)
    #expect(abs(found.standardError! - error) < 1e-12)
  }

  @Test(arguments: TaskCase.all) func findsTheLikelihoodsOfTransformers(_ test: TaskCase) throws {
    let questions = try test.questions(limit: test.task.hasSubjects ? 1 : 2)
    let log = ProgressLog()
    let model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    let result = try TaskResult(of: model, on: questions, progress: log.handler)
    for (found, oracle) in zip(result.logLikelihoods, test.oracle.items(like: questions.items)) {
      for (found, request) in zip(found, oracle.requests) {
        #expect(abs(found - request.log_likelihood) < Self.tolerance)
      }
    }
    let last = try #require(log.entries.last)
    #expect(last.completed == last.total && last.phase == "evaluating")
  }

  @Test func oneSetServesAModelAndWhatIsCutOutOfIt() throws {
    let questions = try TaskCase(task: .winogrande).questions(limit: 2)
    let model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    let pruned = try model.pruned(
      by: PruningPlan(parentLayerCount: 12, keptLayers: Array(0..<10), criterion: .explicit))
    let (whole, cut) = (try TaskResult(of: model, on: questions), try TaskResult(of: pruned, on: questions))
    #expect(whole.logLikelihoods != cut.logLikelihoods)
    #expect(cut.logLikelihoods.joined().allSatisfy { $0 < 0 })
  }

  @Test func aModelThatGivesNaNIsNotScored() throws {
    let questions = try TaskCase(task: .arc).questions(limit: 2)
    let broken = try Checkpoint(path: Fixture.path("models/kjv-1m")).changing("model.norm.weight") { $0[0] = .nan }
    #expect(throws: CompressionError(.nonFiniteActivation, "")) { try TaskResult(of: broken, on: questions) }
  }

  @Test func aLimitIsOfEachSubject() throws {
    let items = try TaskCase(task: .mmlu, shots: 0).items(limit: 2)
    #expect(Dictionary(grouping: items) { $0.subject! }.mapValues(\.count).values.allSatisfy { $0 == 2 })
    #expect(items.count == 6)
    #expect(try TaskCase(task: .piqa).items(limit: 2).count == 2)
  }

  @Test func refusesAModelOfAnotherVocabulary() throws {
    let questions = try TaskCase(task: .piqa).questions(limit: 1)
    #expect(throws: CompressionError(.invalidTokens, "")) {
      _ = try TaskResult(of: Pico.checkpoint("llama"), on: questions)
    }
    #expect(throws: CompressionError(.notEnoughText, "")) {
      _ = try TaskSet(.piqa, items: questions.items, for: Pico.checkpoint("llama"))
    }
  }
}
