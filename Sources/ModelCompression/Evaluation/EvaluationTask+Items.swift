internal import TensorFormats

extension EvaluationTask {
  /// Reads the questions of a file with one JSON object in a line; blank lines are passed over.
  ///
  /// | task | fields |
  /// |---|---|
  /// | winogrande | `sentence` with a `_`, `option1`, `option2`, `answer` ("1" or "2") |
  /// | hellaswag | `ctx_a`, `ctx_b`, `activity_label`, `endings`, `label` |
  /// | arc | `question`, `choices` (`text`, `label`), `answerKey` (one of the labels) |
  /// | piqa | `goal`, `sol1`, `sol2`, `label` |
  /// | mmlu | `question`, `subject`, `choices` (four), `answer` (0 to 3) |
  ///
  /// - Parameters:
  ///   - shots: solved examples to put before each question; MMLU only.
  ///   - limit: how many questions to take, from the start; of each subject if there are subjects.
  /// - Throws: `CompressionError.invalidTask` with file, line, and what was expected there; what reading throws.
  public func items(in path: String, shots: TaskShots? = nil, limit: Int? = nil) throws -> [TaskItem] {
    var items: [TaskItem] = []
    var taken: [String?: Int] = [:]
    try TaskRecord.forEach(in: path) { record in
      let subject = hasSubjects ? try record.string("subject") : nil
      if let limit, taken[subject, default: 0] >= limit { return hasSubjects }
      taken[subject, default: 0] += 1
      items.append(try item(record, shots: shots))
      return true
    }
    guard !items.isEmpty else { throw CompressionError(.invalidTask, "'\(path)' has no questions") }
    return items
  }

  private func item(_ record: TaskRecord, shots: TaskShots?) throws -> TaskItem {
    switch self {
    case .winogrande: try Self.winogrande(record)
    case .hellaswag: try Self.hellaswag(record)
    case .arc: try Self.arc(record)
    case .piqa: try Self.piqa(record)
    case .mmlu: try Self.mmlu(record, shots: shots)
    }
  }

  // The blank is filled, and the likelihood is of what stands after it: "partial" scoring (Trinh and Le, arXiv 1806.02847).
  private static func winogrande(_ record: TaskRecord) throws -> TaskItem {
    let sentence = try record.string("sentence").unicodeScalars
    guard let blank = sentence.firstIndex(of: "_") else {
      throw record.error("sentence", expected: "a text with a '_'")
    }
    let start = String(sentence[..<blank])
    let end = " " + String(sentence[sentence.index(after: blank)...]).pythonStripped
    let options = [try record.string("option1"), try record.string("option2")]
    guard let answer = ["1", "2"].firstIndex(of: try record.text("answer")) else {
      throw record.error("answer", expected: "\"1\" or \"2\"")
    }
    return TaskItem(
      choices: options.map {
        TaskItem.Choice(context: start + $0, continuation: end, length: (start + $0).unicodeScalars.count)
      }, answer: answer)
  }

  private static func hellaswag(_ record: TaskRecord) throws -> TaskItem {
    let start = try record.string("ctx_a") + " " + record.string("ctx_b").pythonCapitalized
    let context = try cleaned(record.string("activity_label") + ": " + start)
    return try item(record, context: context, choices: record.strings("endings").map(cleaned), answer: "label")
  }

  // Brackets are left from the pages of WikiHow that a part of the questions was made of.
  private static func cleaned(_ text: String) -> String {
    text.pythonStripped.replacingScalars(" [title]", with: ". ").withoutBrackets.replacingScalars("  ", with: " ")
  }

  private static func arc(_ record: TaskRecord) throws -> TaskItem {
    let choices = try record.object("choices")
    let texts = try choices.strings("text")
    let labels = try choices.strings("label")
    guard labels.count == texts.count else {
      throw choices.error("label", expected: "\(texts.count) labels, one for each text")
    }
    guard let answer = labels.firstIndex(of: try record.string("answerKey")) else {
      throw record.error("answerKey", expected: "one of \(labels.joined(separator: ", "))")
    }
    return TaskItem(choices: answers(texts, to: try question(record.string("question"))), answer: answer)
  }

  private static func piqa(_ record: TaskRecord) throws -> TaskItem {
    let solutions = [try record.string("sol1"), try record.string("sol2")]
    return try item(record, context: question(record.string("goal")), choices: solutions, answer: "label")
  }

  private static func mmlu(_ record: TaskRecord, shots: TaskShots?) throws -> TaskItem {
    let subject = try record.string("subject")
    let context = try TaskShots.introduction(to: subject) + (shots?.text(for: subject, of: record) ?? "")
    let letters = TaskShots.letters
    let question = context + (try TaskShots.question(record))
    return TaskItem(
      choices: answers(letters, to: question), answer: try record.index("answer", below: letters.count),
      subject: subject)
  }

  private static func question(_ text: String) -> String { "Question: \(text)\nAnswer:" }

  private static func item(
    _ record: TaskRecord, context: String, choices: [String], answer: String
  ) throws -> TaskItem {
    TaskItem(choices: answers(choices, to: context), answer: try record.index(answer, below: choices.count))
  }

  private static func answers(_ texts: [String], to context: String) -> [TaskItem.Choice] {
    texts.map { TaskItem.Choice(context: context, continuation: " " + $0, length: $0.unicodeScalars.count) }
  }
}
