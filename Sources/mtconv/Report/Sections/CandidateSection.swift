internal import ModelCompression

extension ReportSection {
  /// Sizes that meet a goal: what they cost against how good they are.
  static func candidates(_ input: ReportInput) -> ReportSection? {
    guard let list = input.candidates, !list.candidates.isEmpty else { return nil }
    let measured = list.candidates.filter { $0.quality?.isFinite == true }
    var content: [Markup] = []
    if measured.count > 1 {
      let isHealed = measured.contains { $0.healedLoss != nil }
      content.append(
        .figure(
          "Loss on held-out text against size" + (isHealed ? ", after healing where it was healed" : ""),
          scatter(measured),
          legend: [
            ("kept round", "candidate"), ("chosen-key round", "chosen"), ("dashed", "none is smaller and better"),
          ]))
    }
    content.append(table(list.candidates))
    let goal = list.goal.map { " for \($0)" } ?? ""
    let rest =
      measured.count == list.candidates.count
      ? "all of them run on held-out text" : "\(measured.count) of them run, the others ranked by what statistics say"
    return ReportSection(
      id: "candidates", title: "Candidates", lead: "\(list.candidates.count) sizes\(goal), \(rest).", content: content)
  }

  private static func scatter(_ candidates: [PlanCandidate]) -> Markup {
    let points = candidates.map { (x: Double($0.parameters), y: $0.quality!) }
    let x = ChartScale(points.map(\.x), tickCount: 7) { NumberText.quantity($0) }
    var plot = Plot(
      x: x, y: ChartScale(points.map(\.y)), xTitle: "parameters", yTitle: "loss, nats a token", height: 340,
      isCategorical: false)
    plot.line(front(points), class: "curve front")
    for (candidate, point) in zip(candidates, points) {
      let title =
        "\(candidate.name): \(NumberText.count(candidate.parameters)) parameters, loss \(NumberText.fixed(point.y, 4))"
      plot.dot(
        point.x, point.y, radius: candidate.isChosen ? 8 : 5, class: candidate.isChosen ? "chosen-dot" : "kept",
        title: title + (candidate.isChosen ? ", chosen" : ""))
    }
    return plot.drawing.markup(label: "Loss of candidates against their parameters")
  }

  /// Points that no other is both smaller and better than, by size.
  static func front(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    var best = Double.infinity
    return points.sorted { ($0.x, $0.y) < ($1.x, $1.y) }.filter { point in
      defer { best = min(best, point.y) }
      return point.y < best
    }
  }

  private static let shownRows = 20

  private static func table(_ candidates: [PlanCandidate]) -> Markup {
    let shown = candidates.prefix(shownRows)
    let hasHealed = shown.contains { $0.healedLoss != nil }
    let hasTask = shown.contains { $0.taskScore != nil }
    let rows = shown.map { candidate in
      func text(_ value: Double?) -> String { value.map { NumberText.fixed($0, 4) } ?? "–" }
      let facts = [
        (candidate.isChosen ? "→ " : "") + candidate.name, NumberText.count(candidate.parameters),
        NumberText.bytes(candidate.bytes), NumberText.count(candidate.flops), NumberText.bytes(candidate.kvBytes),
        NumberText.fixed(candidate.estimate, 3), text(candidate.loss),
      ]
      return facts + (hasHealed ? [text(candidate.healedLoss)] : []) + (hasTask ? [text(candidate.taskScore)] : [])
    }
    let header = ["sizes", "parameters", "bytes", "operations a token", "cache", "estimate", "loss"]
    return .table(
      header + (hasHealed ? ["healed"] : []) + (hasTask ? ["task"] : []), rows,
      emphasized: Set(shown.indices.filter { shown[$0].isChosen }))
  }
}

extension PlanCandidate {
  /// The loss after healing, or before.
  fileprivate var quality: Double? { healedLoss ?? loss }
}
