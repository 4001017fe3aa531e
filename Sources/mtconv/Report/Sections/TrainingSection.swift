internal import ModelCompression

extension ReportSection {
  /// The losses of a distillation, step by step.
  static func training(_ input: ReportInput) -> ReportSection? {
    let losses = input.training.compactMap { record in record.loss.map { (x: Double(record.step), y: $0) } }
    let looks = input.training.compactMap { record in record.heldOut.map { (step: record.step, quality: $0) } }
    guard losses.count + looks.count > 1 else { return nil }
    var content: [Markup] = []
    if losses.count > 1 {
      content.append(
        .figure(
          "Training loss", chart([(thinned(losses), "curve line-kept")], yTitle: "loss"),
          legend: [("kept", "loss of a step")]))
    }
    // The run keeps the weights of the least divergence, or of the least loss where there is no teacher.
    let best = looks.min { $0.quality.score < $1.quality.score }
    let perplexities = looks.compactMap { look in look.quality.perplexity.value.map { (x: Double(look.step), y: $0) } }
    if perplexities.count > 1 {
      content.append(
        .figure(
          "Held-out perplexity",
          chart(
            [(perplexities, "curve line-third")], yTitle: "perplexity", marks: true, best: best?.step,
            parent: input.stages.first?.perplexity.value)))
    }
    let divergences = looks.compactMap { look in look.quality.divergence.map { (x: Double(look.step), y: $0) } }
    if divergences.count > 1 {
      content.append(
        .figure(
          "Held-out KL from the teacher",
          chart([(divergences, "curve line-third")], yTitle: "KL, nats", marks: true, best: best?.step)))
    }
    guard !content.isEmpty else { return nil }
    let steps = input.training.map(\.step).max() ?? 0
    var lead = "\(steps) steps."
    if let first = perplexities.first, let best, let value = best.quality.perplexity.value {
      lead +=
        " Held-out perplexity from \(NumberText.fixed(first.y, 2)) to \(NumberText.fixed(value, 2)) at step \(best.step)"
      lead += best.step > 0 ? ", whose weights are the best." : ": no step was better than the start."
    }
    return ReportSection(id: "training", title: "Distillation", lead: lead, content: content)
  }

  private static let shownPoints = 500

  /// Means of neighbouring steps, if there are more than can be seen.
  private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    let size = (points.count + shownPoints - 1) / shownPoints
    guard size > 1 else { return points }
    return stride(from: 0, to: points.count, by: size).map { start in
      let part = points[start..<min(start + size, points.count)]
      return (x: part.last!.x, y: part.reduce(0) { $0 + $1.y } / Double(part.count))
    }
  }

  private static func chart(
    _ lines: [(points: [(x: Double, y: Double)], style: String)], yTitle: String, marks: Bool = false,
    best: Int? = nil, parent: Double? = nil
  ) -> Markup {
    let points = lines.flatMap(\.points)
    let x = ChartScale(points.map(\.x), fromZero: true, tickCount: 8) { "\(Int($0))" }
    var plot = Plot(
      x: x, y: ChartScale(points.map(\.y) + [parent].compactMap { $0 }), xTitle: "step", yTitle: yTitle, height: 280,
      isCategorical: false)
    if let parent { plot.rule(y: parent, "parent") }
    if let best, best > 0 { plot.rule(x: Double(best), "best: step \(best)") }
    for line in lines {
      plot.line(line.points, class: line.style)
      guard marks else { continue }
      for point in line.points {
        plot.dot(
          point.x, point.y, class: "third", title: "step \(Int(point.x)): \(NumberText.fixed(point.y, 4))")
      }
    }
    return plot.drawing.markup(label: "\(yTitle) by step")
  }
}

extension TrainingRecord.HeldOut {
  /// What decides which step was the best.
  fileprivate var score: Double { divergence ?? perplexity.value ?? .infinity }
}
