internal import ModelArchitectures
internal import ModelCompression

extension ReportSection {
  /// Importance of neurons and hidden channels, largest first.
  static func neurons(_ input: ReportInput) -> ReportSection? {
    guard let statistics = input.statistics?.statistics else { return nil }
    // Neither axis depends on how channels form heads.
    let importance = Importance(statistics, headDimension: 1, keyValueHeadCount: 1)
    let kept = input.pruning?.keptIndices ?? [:]
    let layers = statistics.layers.indices.compactMap { layer in
      importance[ScopedAxis(.intermediate, layer: layer)].map { (layer: layer, scores: $0) }
    }
    var content: [Markup] = []
    if let width = layers.map(\.scores.count).max(), width > 0 {
      let counts = layers.compactMap { kept[ScopedAxis(.intermediate, layer: $0.layer)]?.count }
      content.append(
        .figure(
          "Neurons of every layer, against the layer's largest",
          curves(layers, width: width, kept: counts.min(), xTitle: "neurons, largest first"),
          legend: bands(layers.map(\.layer))))
    }
    if let hidden = importance[ScopedAxis(.hidden)], !hidden.isEmpty {
      content.append(
        .figure(
          "Hidden channels, summed over the norms of all layers",
          curves(
            [(layer: 0, scores: hidden)], width: hidden.count, kept: kept[ScopedAxis(.hidden)]?.count,
            xTitle: "hidden channels, largest first")))
    }
    guard !content.isEmpty else { return nil }
    return ReportSection(
      id: "neurons", title: "Neurons and channels",
      lead:
        "Where a curve falls steeply at its end, what lies beyond costs little; where it is flat, little tells neurons apart.",
      content: content)
  }

  private static let bandCount = 5
  private static let shownPoints = 160

  /// The band of depth that the layer at this place belongs to.
  private static func band(_ index: Int, of count: Int) -> Int { index * bandCount / max(count, 1) }

  private static func bands(_ layers: [Int]) -> [(style: String, name: String)] {
    guard layers.count > 1 else { return [] }
    return (0..<bandCount).compactMap { number in
      let members = layers.indices.filter { band($0, of: layers.count) == number }.map { layers[$0] }
      return members.isEmpty ? nil : ("d\(number)", "layers \(LayerRanges.text(members))")
    }
  }

  private static func curves(
    _ layers: [(layer: Int, scores: [Double])], width: Int, kept: Int?, xTitle: String
  ) -> Markup {
    let lines = layers.map { points(of: $0.scores) }
    let positive = lines.joined().map(\.y).filter { $0 > 0 }
    let x = ChartScale([0, Double(width)], tickCount: 8) { "\(Int($0))" }
    let y = ChartScale([max(positive.min() ?? 1, 1e-6), 1], .logarithmic)
    var plot = Plot(x: x, y: y, xTitle: xTitle, yTitle: "importance", height: 320, isCategorical: false)
    for (index, line) in lines.enumerated() {
      let isOne = layers.count == 1
      plot.line(
        line, class: "curve d\(isOne ? 0 : band(index, of: layers.count))",
        title: isOne ? nil : "layer \(layers[index].layer)")
    }
    if let kept, kept < width { plot.rule(x: Double(kept), "\(kept) of \(width) kept") }
    return plot.drawing.markup(label: xTitle)
  }

  /// Sorted scores against the largest, as many as can be seen.
  private static func points(of scores: [Double]) -> [(x: Double, y: Double)] {
    let sorted = scores.sorted(by: >)
    guard let highest = sorted.first, highest > 0 else { return [] }
    let last = Double(sorted.count - 1)
    let count = min(shownPoints, sorted.count)
    return (0..<count).map { index in
      let rank = count > 1 ? Int((Double(index) * last / Double(count - 1)).rounded()) : 0
      return (x: Double(rank + 1), y: sorted[rank] / highest)
    }
  }
}
