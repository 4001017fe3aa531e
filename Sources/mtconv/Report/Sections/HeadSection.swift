internal import ModelArchitectures
internal import ModelCompression

extension ReportSection {
  /// Importance of attention heads, layer by layer.
  static func heads(_ input: ReportInput) -> ReportSection? {
    guard let statistics = input.statistics?.statistics, let shape = input.heads else { return nil }
    let importance = Importance(
      statistics, headDimension: shape.headDimension, keyValueHeadCount: shape.keyValueHeadCount ?? 1)
    let rows = statistics.layers.indices.compactMap { layer -> (label: String, cells: [HeatMap.Cell])? in
      guard let scores = importance[ScopedAxis(.queryHead, layer: layer)], !scores.isEmpty else { return nil }
      let kept = keptHeads(input.pruning, layer, scores.count, shape)
      let highest = max(scores.max() ?? 1, 1e-300)
      let cells = scores.enumerated().map { head, score in
        let isDropped = !kept.contains(head)
        let share = NumberText.fixed(score / highest, 3)
        return HeatMap.Cell(
          shade: score / highest,
          title: "layer \(layer), head \(head): \(share) of the layer's largest" + (isDropped ? ", dropped" : ""),
          isDropped: isDropped)
      }
      return ("\(layer)", cells)
    }
    guard let count = rows.map(\.cells.count).max() else { return nil }
    var map = HeatMap(rows: rows, xTitle: "query head", yTitle: "layer")
    let group = shape.keyValueHeadCount.map { count / max($0, 1) } ?? 1
    map.groupSize = group > 1 && group < count ? group : nil
    let total = rows.reduce(0) { $0 + $1.cells.count }
    let dropped = rows.reduce(0) { $0 + $1.cells.count { $0.isDropped } }
    var lead =
      "The L2 norm of a head's channels where the output projection reads them, against the largest of its layer."
    if map.groupSize != nil { lead += " Heads that share keys and values stand together." }
    if dropped > 0 { lead += " \(dropped) of \(total) go." }
    let legend = [("gradient", "little to much")] + (dropped > 0 ? [("struck", "dropped")] : [])
    return ReportSection(
      id: "heads", title: "Attention heads", lead: lead,
      content: [.figure("Importance of heads", map.markup(label: "Importance of every head"), legend: legend)])
  }

  private static func keptHeads(
    _ pruning: PruningPlan?, _ layer: Int, _ count: Int, _ shape: ReportInput.HeadShape
  ) -> Set<Int> {
    guard let pruning else { return Set(0..<count) }
    guard pruning.keptLayers.contains(layer) else { return [] }
    let kept = Set(pruning.keptIndices[ScopedAxis(.queryHead, layer: layer)] ?? Array(0..<count))
    // A group goes with all the heads it serves.
    guard let groups = pruning.keptIndices[ScopedAxis(.keyValueHead, layer: layer)], let total = shape.keyValueHeadCount
    else { return kept }
    let size = max(1, count / max(total, 1))
    return kept.filter { groups.contains($0 / size) }
  }
}
