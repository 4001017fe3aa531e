internal import ModelCompression
internal import TensorFormats

extension ReportSection {
  /// Scores in tasks, with their standard errors.
  static func tasks(_ input: ReportInput) -> ReportSection? {
    let rows = input.evaluations.flatMap(rows)
    guard !rows.isEmpty else { return nil }
    let table = Markup.table(
      ["task", "metric", "model", "shots", "questions", "score"],
      rows.map { row in
        [
          row.task, row.metric, row.model, "\(row.shots)", "\(row.count)",
          NumberText.fixed(row.estimate.value, 4)
            + (row.estimate.standardError.map { " ± " + NumberText.fixed($0, 4) } ?? ""),
        ]
      }, leading: 3)
    let tests = input.evaluations.compactMap { record in
      record.compared.map { other in
        Markup(
          "p", [:],
          .text(
            "\(record.score.task.rawValue): right by one model only \(other.comparison.onlyFirst) to"
              + " \(other.comparison.onlySecond), p = \(NumberText.fixed(other.comparison.probability, 4)) (McNemar)"))
      }
    }
    return ReportSection(
      id: "tasks", title: "Tasks",
      lead: "Shares of right answers in the formats of lm-eval; whiskers are 1.96 standard errors to each side.",
      content: [.figure("Scores", chart(rows), legend: [("kept round", "acc"), ("fourth round", "acc_norm")]), table]
        + tests)
  }

  private struct Row {
    let task: String
    let metric: String
    let model: String
    let shots: Int
    let count: Int
    let estimate: TaskScore.Estimate
  }

  private static func rows(_ record: EvaluationRecord) -> [Row] {
    let scored = [(record.model, record.score)] + (record.compared.map { [($0.model, $0.score)] } ?? [])
    return scored.flatMap { model, score in
      let measures: [(String, TaskScore.Estimate?)] = [("acc", score.accuracy), ("acc_norm", score.normalizedAccuracy)]
      return measures.compactMap { metric, estimate in
        estimate.map {
          Row(
            task: score.task.rawValue, metric: metric, model: FileSystem.baseName(model), shots: score.shotCount,
            count: score.itemCount, estimate: $0)
        }
      }
    }
  }

  private static func chart(_ rows: [Row]) -> Markup {
    let names = rows.map { "\($0.task) \($0.metric), \($0.model)" }
    let left = 24 + 7.2 * Double(names.map(\.count).max() ?? 1)
    let (width, step) = (1000.0, 26.0)
    let bottom = 10 + step * Double(rows.count)
    var drawing = Drawing(width: width, height: bottom + 44)
    let scale = ChartScale([0, 1], fromZero: true, tickCount: 5)
    func at(_ value: Double) -> Double { left + (width - left - 24) * scale.share(value) }
    for tick in scale.ticks {
      drawing.line(x1: at(tick), y1: 6, x2: at(tick), y2: bottom, class: "grid")
      drawing.text(scale.label(tick), x: at(tick), y: bottom + 18, anchor: .middle)
    }
    for (index, row) in rows.enumerated() {
      let y = 10 + step * (Double(index) + 0.5)
      drawing.text(names[index], x: left - 10, y: y + 4, anchor: .end)
      let reach = 1.96 * (row.estimate.standardError ?? 0)
      drawing.line(x1: at(row.estimate.value - reach), y1: y, x2: at(row.estimate.value + reach), y2: y, class: "stem")
      drawing.circle(
        x: at(row.estimate.value), y: y, radius: 5.5, class: row.metric == "acc" ? "kept" : "fourth",
        title: "\(names[index]): \(NumberText.fixed(row.estimate.value, 4))")
    }
    drawing.text("share of right answers", x: (left + width) / 2, y: bottom + 38, anchor: .middle, class: "title")
    return drawing.markup(label: "Scores in tasks")
  }
}
