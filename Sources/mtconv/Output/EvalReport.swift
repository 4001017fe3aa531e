internal import ModelCompression
internal import TensorFormats

/// Scores of a task, and of a second model beside them.
struct EvalReport: Report {
  struct Other: Encodable {
    let model: String
    let score: TaskScore
    let comparison: TaskComparison
    let emulation: EmulationSummary?
  }

  let model: String
  /// The questions' file, without its folder.
  let data: String
  let score: TaskScore
  /// What was rounded in the forward pass; nil for a model that is not quantized.
  let emulation: EmulationSummary?
  let compared: Other?
  let seconds: Double

  init(
    model: String, data: String, compared: String?, results: [TaskResult], emulations: [EmulationSummary?],
    seconds: Double
  ) {
    self.model = model
    self.data = FileSystem.baseName(data)
    self.seconds = seconds
    score = results[0].score
    emulation = emulations[0]
    self.compared = compared.map {
      Other(
        model: $0, score: results[1].score, comparison: TaskComparison(results[0], results[1]),
        emulation: emulations[1])
    }
  }

  var text: String {
    var lines = [scores]
    let truncated = score.truncatedCount
    if truncated > 0 { lines.append("\(truncated) requests lost their start, being longer than the model's context") }
    for (model, emulation) in [(model, emulation), (compared?.model ?? "", compared?.emulation)] {
      if let emulation { lines.append("\(Self.name(model)): run with \(emulation.text)") }
    }
    if let comparison = compared?.comparison {
      let (first, second) = (comparison.onlyFirst, comparison.onlySecond)
      lines.append(
        "\nanswered right by one model only: \(first) by the first, \(second) by the second;"
          + " p = \(NumberText.fixed(comparison.probability, 4)) if both were equally good (McNemar)")
    }
    let questions = "\(score.itemCount) \(score.itemCount == 1 ? "question" : "questions") of \(data)"
    return lines.joined(separator: "\n")
      + "\n\n\(questions), \(NumberText.duration(seconds))".escapingControls(keepingLines: true)
  }

  /// A row for each measure; the second model in a column of its own.
  private var scores: String {
    let names = compared.map { [Self.name(model), Self.name($0.model), "difference"] } ?? ["score"]
    var table = TextTable(
      [("task", .left), ("metric", .left), ("shots", .right), ("n", .right)] + names.map { ($0, .right) })
    func add(_ name: String, _ metric: String, _ count: Int, _ estimates: [TaskScore.Estimate]) {
      var row = [name, metric, "\(score.shotCount)", "\(count)"] + estimates.map(Self.text)
      if estimates.count > 1 { row.append(Self.difference(estimates[0], estimates[1])) }
      table.add(row)
    }
    let scores = [score] + (compared.map { [$0.score] } ?? [])
    add(score.task.rawValue, "acc", score.itemCount, scores.map(\.accuracy))
    let normalized = scores.compactMap(\.normalizedAccuracy)
    if !normalized.isEmpty { add("", "acc_norm", score.itemCount, normalized) }
    if score.subjects.count > 1 {
      for (index, subject) in score.subjects.enumerated() {
        add("  " + subject.name, "acc", subject.itemCount, scores.map { $0.subjects[index].accuracy })
      }
    }
    return table.text
  }

  /// The last part of a path.
  private static func name(_ path: String) -> String { FileSystem.baseName(path) }

  private static func difference(_ first: TaskScore.Estimate, _ second: TaskScore.Estimate) -> String {
    let difference = second.value - first.value
    return (difference < 0 ? "" : "+") + NumberText.fixed(difference, 4)
  }

  private static func text(_ estimate: TaskScore.Estimate) -> String {
    NumberText.fixed(estimate.value, 4) + (estimate.standardError.map { " ± " + NumberText.fixed($0, 4) } ?? "")
  }
}

/// What was asked and what came of it, question by question.
struct TaskSamples {
  let result: TaskResult

  init(_ result: TaskResult) { self.result = result }

  func write(to path: String, overwrite: Bool) throws {
    let file = try OutputFile(path: path, overwrite: overwrite)
    for index in result.questions.items.indices {
      try file.write(JSON(encoding: sample(index)).serializedBytes() + [0x0A])
    }
    try file.commit()
  }

  private struct Sample: Encodable {
    struct Request: Encodable {
      let context: String
      let continuation: String
      let logLikelihood: Double
    }

    let question: Int
    let subject: String?
    let answer: Int
    let choice: Int?
    let normalizedChoice: Int?
    let requests: [Request]
  }

  private func sample(_ index: Int) -> Sample {
    let item = result.questions.items[index]
    let requests = zip(item.choices, result.logLikelihoods[index]).map {
      Sample.Request(context: $0.context, continuation: $0.continuation, logLikelihood: $1)
    }
    return Sample(
      question: index + 1, subject: item.subject, answer: item.answer, choice: result.choice(of: index),
      normalizedChoice: result.questions.task.hasNormalizedAccuracy ? result.normalizedChoice(of: index) : nil,
      requests: requests)
  }
}
