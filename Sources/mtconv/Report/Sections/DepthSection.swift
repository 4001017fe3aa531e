internal import ModelCompression

extension ReportSection {
  /// Which layers go by each criterion, and which runs turn the stream least.
  static func depth(_ input: ReportInput) -> ReportSection? {
    guard let statistics = input.statistics?.statistics, statistics.influence.scores.count > 2 else { return nil }
    let layerCount = statistics.influence.scores.count
    let dropped = input.droppedLayers
    let count = input.depth?.choices.first?.dropped.count ?? (dropped.isEmpty ? max(1, layerCount / 5) : dropped.count)
    let comparison = input.depth ?? computed(statistics, count, dropped)
    var content: [Markup] = []
    if !comparison.choices.isEmpty {
      content.append(
        .figure(
          "The \(count) of \(layerCount) layers that each criterion would drop",
          choices(comparison, dropped, layerCount),
          legend: [("warn", "dropped"), ("pale", "kept")]))
    }
    if statistics.angularDistances.contains(where: { !$0.isEmpty }) {
      content.append(
        .figure(
          "Angular distance over every run of layers, as a share of a half turn",
          runs(statistics.angularDistances),
          legend: [("gradient", "turns the stream little to much"), ("ring-key", "least of its length")]))
    }
    return ReportSection(
      id: "depth", title: "Which layers could go",
      lead: "A run is judged by what it does as a whole, scattered layers each by itself; the criteria need not agree.",
      content: content)
  }

  private static func computed(
    _ statistics: ActivationStatistics, _ count: Int, _ dropped: Set<Int>
  ) -> DepthComparison {
    let criteria: [PruningPlan.Criterion] = [.blockInfluence, .angularDistance, .loss]
    return DepthComparison(
      dropping: count, of: criteria.compactMap { try? LayerCosts($0, from: statistics) }, chosen: dropped.sorted())
  }

  private static func choices(_ comparison: DepthComparison, _ dropped: Set<Int>, _ layerCount: Int) -> Markup {
    func row(_ name: String, _ layers: Set<Int>) -> (label: String, cells: [HeatMap.Cell]) {
      let cells = (0..<layerCount).map { layer in
        let isDropped = layers.contains(layer)
        return HeatMap.Cell(
          shade: isDropped ? 1 : 0.08, title: "\(name): layer \(layer) \(isDropped ? "dropped" : "kept")",
          style: isDropped ? "warn" : "shade")
      }
      return (name, cells)
    }
    var rows = comparison.choices.map { choice in
      let loss = choice.loss.map { ", loss \(NumberText.fixed($0, 3))" } ?? ""
      let name = choice.criterion.words + (choice.isContiguous ? ", one run" : ", scattered")
      return row(name + loss, Set(choice.dropped))
    }
    if !dropped.isEmpty { rows.append(row("this plan", dropped)) }
    return HeatMap(rows: rows, xTitle: "layer", yTitle: "").markup(label: "Layers that each criterion would drop")
  }

  private static let shownLengths = 16

  private static func runs(_ distances: [[Double]]) -> Markup {
    let layerCount = distances.count
    let lengths = 1...max(1, min(shownLengths, layerCount - 1))
    let highest = distances.flatMap { $0.prefix(lengths.upperBound) }.max() ?? 1
    let rows = lengths.map { length in
      let starts = (0...layerCount - length).filter { distances[$0].indices.contains(length - 1) }
      let best = starts.min { distances[$0][length - 1] < distances[$1][length - 1] }
      let cells = starts.map { first in
        let distance = distances[first][length - 1]
        return HeatMap.Cell(
          shade: distance / max(highest, 1e-12),
          title: "layers \(first)–\(first + length - 1): \(NumberText.fixed(distance, 4))", isRinged: first == best)
      }
      return (label: "\(length)", cells: cells)
    }
    return HeatMap(rows: rows, xTitle: "first layer of the run", yTitle: "layers in the run").markup(
      label: "Angular distance over every run of layers")
  }
}
