import MTConvTestSupport
import ModelCheckpoints
import ModelCompression
import TensorFormats
import Testing

/// What lm-eval asks kjv-1m, and what transformers answers (Fixtures/generate/tasks.py).
struct TaskOracle: Decodable {
  struct Request: Decodable {
    let context: String
    let continuation: String
    let context_tokens: [Int]
    let continuation_tokens: [Int]
    let log_likelihood: Double
  }

  struct Item: Decodable {
    let acc: Double
    let acc_norm: Double?
    let requests: [Request]
  }

  struct Subject: Decodable {
    let acc: Double
    let acc_stderr: Double
    let items: [Item]
  }

  let acc: Double
  let acc_stderr: Double
  let acc_norm: Double?
  let acc_norm_stderr: Double?
  private let items: [Item]?
  let subjects: [String: Subject]?

  /// The items in the order of those of a task: the harness asks subject by subject.
  func items(like questions: [TaskItem]) -> [Item] {
    var rest = (subjects ?? [:]).mapValues { $0.items[...] }
    return questions.enumerated().map { index, question in
      question.subject.map { rest[$0]!.removeFirst() } ?? items![index]
    }
  }

  static let all = load()

  private static func load() -> [String: TaskOracle] {
    do {
      return try JSON(parsing: FileSystem.read(Fixture.path("tasks/oracle.json"))).decoded()
    } catch {
      fatalError("cannot read the oracle: \(error)")
    }
  }
}

/// A task as the oracle has it.
struct TaskCase: Sendable, CustomTestStringConvertible {
  let task: EvaluationTask
  var shots: Int?

  static let all =
    [EvaluationTask.winogrande, .hellaswag, .arc, .piqa].map { TaskCase(task: $0) }
    + [0, 5].map { TaskCase(task: .mmlu, shots: $0) }

  var oracle: TaskOracle { TaskOracle.all[testDescription]! }
  var testDescription: String { task.rawValue + (shots.map { "-\($0)" } ?? "") }

  func items(limit: Int? = nil) throws -> [TaskItem] {
    try task.items(in: Fixture.path("tasks/\(task.rawValue).jsonl"), shots: examples, limit: limit)
  }

  func questions(limit: Int? = nil) throws -> TaskSet {
    let model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    return try TaskSet(task, items: items(limit: limit), shotCount: shots ?? 0, for: model)
  }

  private var examples: TaskShots? {
    get throws {
      guard let shots, shots > 0 else { return nil }
      return try TaskShots(path: Fixture.path("tasks/mmlu-dev.jsonl"), count: shots)
    }
  }
}
