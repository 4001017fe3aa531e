internal import ModelCompression

extension ReportSection {
  /// How much each layer matters, by influence and by loss.
  static func layers(_ input: ReportInput) -> ReportSection? {
    guard let scores = input.statistics?.statistics.influence.scores ?? input.pruning?.scores, !scores.isEmpty
    else { return nil }
    let dropped = input.droppedLayers
    let legend = dropped.isEmpty ? [] : [("kept", "kept"), ("hatch", "dropped")]
    // What a plan alone says of its layers is by its own criterion.
    let measure = input.statistics == nil ? input.pruning?.criterion.words ?? "score" : "block influence"
    let caption =
      input.statistics == nil
      ? "Score by which the plan chose layers"
      : "Block influence: 1 − cosine of what goes into a layer and what comes out"
    var content = [
      Markup.figure(
        caption, chart(scores, dropped, yTitle: measure, label: "\(measure) of every layer"), legend: legend)
    ]
    if let losses = input.statistics?.statistics.layerLosses, let single = losses.losses(skipping: 1) {
      let added = single.map { $0 - losses.baseline }
      content.append(
        .figure(
          "Loss added when a layer is skipped; the whole model has \(NumberText.fixed(losses.baseline, 3)) nats a token",
          chart(added, dropped, yTitle: "added loss, nats", label: "Loss added by skipping each layer"),
          legend: legend))
    }
    let most = scores.indices.max { scores[$0] < scores[$1] } ?? 0
    var lead = "Layer \(most) has the highest score."
    if !dropped.isEmpty {
      lead += " The plan drops \(dropped.count) of \(scores.count): \(LayerRanges.text(dropped.sorted()))."
    }
    return ReportSection(id: "layers", title: "Importance of layers", lead: lead, content: content)
  }

  /// A bar for each layer; points on a logarithmic scale if one layer would flatten all others.
  private static func chart(_ values: [Double], _ dropped: Set<Int>, yTitle: String, label: String) -> Markup {
    let sorted = values.filter(\.isFinite).sorted()
    let median = sorted.isEmpty ? 1 : sorted[sorted.count / 2]
    let isLogarithmic = (sorted.first ?? 0) > 0 && (sorted.last ?? 1) > 8 * median
    let scale = ChartScale(values, isLogarithmic ? .logarithmic : .linear, fromZero: !isLogarithmic)
    var plot = Plot(x: ChartScale(count: values.count), y: scale, xTitle: "layer", yTitle: yTitle, height: 280)
    for (layer, value) in values.enumerated() where value.isFinite {
      let isDropped = dropped.contains(layer)
      let style = isDropped ? "dropped" : "kept"
      let title = "layer \(layer): \(NumberText.scientific(value, 3))" + (isDropped ? ", dropped" : "")
      guard isLogarithmic else {
        plot.bar(at: Double(layer), value, class: style, title: title)
        continue
      }
      let x = plot.at(x: Double(layer))
      plot.drawing.line(
        x1: x, y1: plot.at(y: scale.low), x2: x, y2: plot.at(y: value), class: isDropped ? "stem bad" : "stem")
      plot.dot(Double(layer), value, radius: 6, class: style, title: title)
    }
    return plot.drawing.markup(label: label)
  }
}
