/// The share of questions that a model answered right.
public struct TaskScore: Sendable, Codable, Equatable {
  /// A share and its standard error, sd ÷ √n with n − 1 in the variance; nil for a single question.
  public struct Estimate: Sendable, Codable, Equatable {
    public let value: Double
    public let standardError: Double?

    public init(value: Double, standardError: Double?) {
      self.value = value
      self.standardError = standardError
    }
  }

  public struct Subject: Sendable, Codable, Equatable {
    public let name: String
    public let itemCount: Int
    public let accuracy: Estimate
  }

  public let task: EvaluationTask
  public let itemCount: Int
  public let shotCount: Int
  /// `acc` of the harness.
  public let accuracy: Estimate
  /// `acc_norm`, where the harness has it.
  public let normalizedAccuracy: Estimate?
  /// In order of their names; empty if the task has none.
  public let subjects: [Subject]
  /// Requests whose start did not fit into the model's context.
  public let truncatedCount: Int

  public init(_ result: TaskResult) {
    let set = result.questions
    let isRight = result.isRight
    task = set.task
    itemCount = set.items.count
    shotCount = set.shotCount
    truncatedCount = set.truncatedCount
    normalizedAccuracy = set.task.hasNormalizedAccuracy ? Estimate(result.isRightNormalized) : nil
    let groups = Dictionary(grouping: set.items.indices) { set.items[$0].subject }
    subjects = groups.compactMap { name, items in
      name.map { Subject(name: $0, itemCount: items.count, accuracy: Estimate(items.map { isRight[$0] })) }
    }.sorted { $0.name < $1.name }
    accuracy = subjects.isEmpty ? Estimate(isRight) : Estimate(pooling: subjects)
  }
}

extension TaskResult {
  public var score: TaskScore { TaskScore(self) }
}

extension TaskScore.Estimate {
  init(_ answers: [Bool]) {
    let count = Double(answers.count)
    let mean = Double(answers.count { $0 }) / count
    // Σ(x − mean)² of zeros and ones.
    let variance = count * mean * (1 - mean) / (count - 1)
    self.init(value: mean, standardError: answers.count > 1 ? (variance / count).squareRoot() : nil)
  }

  /// All subjects together, each by its size; variances are pooled as the harness does.
  init(pooling subjects: [TaskScore.Subject]) {
    let total = subjects.reduce(0.0) { $0 + Double($1.itemCount) }
    let mean = subjects.reduce(0.0) { $0 + $1.accuracy.value * Double($1.itemCount) } / total
    var squares = 0.0
    var isKnown = true
    for subject in subjects {
      guard let error = subject.accuracy.standardError else {
        isKnown = false
        continue
      }
      let count = Double(subject.itemCount)
      squares += (count - 1) * error * error * count
    }
    let variance = squares / (total - Double(subjects.count))
    self.init(value: mean, standardError: isKnown ? (variance / total).squareRoot() : nil)
  }
}
