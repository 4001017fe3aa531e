extension ReportSection {
  /// Held-out error of every healing step, before and after.
  static func healing(_ input: ReportInput) -> ReportSection? {
    guard let record = input.healing, !record.steps.isEmpty else { return nil }
    let kinds = record.steps.reduce(into: [String]()) { if !$0.contains($1.kind) { $0.append($1.kind) } }
    let charts = kinds.map { kind in
      Markup.figure(
        names[kind] ?? kind, chart(record.steps.filter { $0.kind == kind }),
        legend: [("hollow", "before"), ("kept round", "after"), ("warn round", "after, not kept")])
    }
    var lead = "\(record.steps.count { $0.isKept }) of \(record.steps.count) steps are kept"
    if let tokens = record.heldOutTokens { lead += ", judged on \(tokens) tokens that they were not fitted to" }
    let gains = record.steps.filter(\.isKept).compactMap(\.gain).sorted()
    if let most = gains.last {
      lead += "; they lower the error by \(NumberText.percent(gains[gains.count / 2])) in the median"
      lead += " and \(NumberText.percent(most)) at most"
    }
    return ReportSection(
      id: "healing", title: "Healing without training", lead: lead + ".", content: charts + [refused(record.steps)])
  }

  private static let names = [
    "output": "Projections into the residual stream, refitted by least squares",
    "input": "Projections behind a norm, refitted by least squares", "normScale": "Norms, rescaled by one number",
  ]

  private static func chart(_ steps: [HealingRecord.Step]) -> Markup {
    let all = steps.flatMap { [$0.errorBefore, $0.errorAfter] }.compactMap { $0 }.filter(\.isFinite)
    // What is nothing but rounding stands at the lower end.
    let errors = all.filter { $0 > 1e-6 * (all.max() ?? 1) }
    let spread = (errors.max() ?? 1) / (errors.min() ?? 1)
    let scale = ChartScale(errors, spread > 30 ? .logarithmic : .linear, fromZero: spread <= 30)
    let x = ChartScale(count: steps.count) { position in
      let index = Int(position)
      return steps.indices.contains(index) ? steps[index].layer.map { "\($0)" } ?? "last" : ""
    }
    var plot = Plot(x: x, y: scale, xTitle: "layer of the result", yTitle: "error against the parent", height: 260)
    for (index, step) in steps.enumerated() {
      guard let before = step.errorBefore, let after = step.errorAfter else { continue }
      let place = Double(index)
      plot.drawing.line(
        x1: plot.at(x: place), y1: plot.at(y: before), x2: plot.at(x: place), y2: plot.at(y: after),
        class: step.isKept ? "stem" : "stem bad")
      let layer = step.layer.map { "layer \($0)" } ?? "last norm"
      let title = "\(layer): \(NumberText.scientific(before, 3)) → \(NumberText.scientific(after, 3))"
      plot.dot(place, before, radius: 4.5, class: "hollow", title: title)
      plot.dot(
        place, after, radius: 4.5, class: step.isKept ? "kept" : "warn",
        title: title + (step.isKept ? "" : ", not kept" + (step.reason.map { ": \($0)" } ?? "")))
    }
    return plot.drawing.markup(label: "Error before and after healing")
  }

  /// What was not kept, a row for each reason.
  private static func refused(_ steps: [HealingRecord.Step]) -> Markup {
    var layers: [[String]: [Int?]] = [:]
    var order: [[String]] = []
    for step in steps where !step.isKept {
      let key = [names[step.kind] ?? step.kind, step.reason ?? "no reason given"]
      if layers[key] == nil { order.append(key) }
      layers[key, default: []].append(step.layer)
    }
    let rows = order.map { key in
      let found = Set(layers[key]!.compactMap { $0 }).sorted()
      let parts = (found.isEmpty ? [] : [LayerRanges.text(found)]) + (layers[key]!.contains(nil) ? ["last norm"] : [])
      return key + [parts.joined(separator: ", ")]
    }
    return rows.isEmpty ? .group([]) : .table(["not kept", "why", "layers"], rows, leading: 3)
  }
}

extension HealingRecord.Step {
  /// The share of the error that the step takes away; nil where there was none.
  fileprivate var gain: Double? {
    guard let errorBefore, let errorAfter, errorBefore > 0 else { return nil }
    return 1 - errorAfter / errorBefore
  }
}
