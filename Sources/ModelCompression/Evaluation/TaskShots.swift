/// Solved questions of MMLU that stand before the one that is asked: of each subject the first few.
public struct TaskShots: Sendable {
  /// What the paper and the harness ask with (Hendrycks et al., arXiv 2009.03300).
  public static let defaultCount = 5
  static let letters = ["A", "B", "C", "D"]

  /// Examples for each question.
  public let count: Int
  private let path: String
  private var examples: [String: [String]] = [:]

  /// Reads the examples of all subjects from a file like that of the questions.
  /// - Throws: as `EvaluationTask.items(in:shots:limit:)`.
  public init(path: String, count: Int = TaskShots.defaultCount) throws {
    self.path = path
    self.count = count
    try TaskRecord.forEach(in: path) { record in
      let subject = try record.string("subject")
      guard examples[subject, default: []].count < count else { return true }
      let answer = Self.letters[try record.index("answer", below: Self.letters.count)]
      examples[subject, default: []].append(try Self.question(record) + " \(answer)\n\n")
      return true
    }
  }

  static func introduction(to subject: String) -> String {
    let name = subject.replacingScalars("_", with: " ")
    return "The following are multiple choice questions (with answers) about \(name).\n\n"
  }

  static func question(_ record: TaskRecord) throws -> String {
    let choices = try record.strings("choices")
    guard choices.count == letters.count else { throw record.error("choices", expected: "\(letters.count) texts") }
    let lines = zip(letters, choices).map { "\n\($0). \($1)" }.joined()
    return try record.string("question").pythonStripped + lines + "\nAnswer:"
  }

  func text(for subject: String, of record: TaskRecord) throws -> String {
    let found = examples[subject] ?? []
    guard found.count == count else {
      throw record.error("subject", expected: "a subject with \(count) examples in '\(path)', which has \(found.count)")
    }
    return found.joined()
  }
}
