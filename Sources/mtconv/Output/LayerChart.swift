/// A bar for each layer: how much it changes the residual stream, or what the model loses without it, and whether it stays.
struct LayerChart {
  var title = "influence"
  let scores: [Double]
  var dropped: Set<Int> = []
  private static let width = 40.0

  var text: String {
    var table = TextTable([("layer", .right), (title, .right), ("", .left), ("", .left)])
    let highest = scores.max() ?? 1
    for (layer, score) in scores.enumerated() {
      table.add([
        "\(layer)", NumberText.fixed(score, 4), dropped.contains(layer) ? "dropped" : "", Self.bar(score, of: highest),
      ])
    }
    return table.text
  }

  /// At least one block for anything above zero.
  static func bar(_ value: Double, of highest: Double) -> String {
    guard value > 0, highest > 0, highest.isFinite else { return "" }
    return String(repeating: "█", count: max(1, Int((value / highest * width).rounded())))
  }
}
