extension ReportSection {
  /// How alike the residual streams of parent and result are, layer by layer.
  static func streams(_ input: ReportInput) -> ReportSection? {
    guard let layers = input.verification?.layers, layers.contains(where: { $0.cosine != nil }) else { return nil }
    let x = ChartScale(count: layers.count) { position in
      let index = Int(position)
      return layers.indices.contains(index) ? layers[index].parentLayer.map { "\($0)" } ?? "end" : ""
    }
    var plot = Plot(
      x: x, y: ChartScale(layers.compactMap(\.cosine) + [1]), xTitle: "layer of the parent", yTitle: "cosine",
      height: 260)
    plot.line(layers.enumerated().map { (x: Double($0), y: $1.cosine ?? .nan) }, class: "curve line-kept")
    for (index, layer) in layers.enumerated() {
      guard let cosine = layer.cosine else { continue }
      let name = layer.layer.map { "layer \($0)" } ?? "the last norm"
      let parent = layer.parentLayer.map { ", \($0) of the parent" } ?? ""
      plot.dot(
        Double(index), cosine, class: "kept",
        title: "what \(name)\(parent) reads: cosine \(NumberText.fixed(cosine, 5))")
    }
    return ReportSection(
      id: "streams", title: "Residual stream",
      lead:
        "What each kept layer reads in the result against what the same layer reads in the parent; 1 is the same direction.",
      content: [.figure("Mean cosine over tokens", plot.drawing.markup(label: "Cosine of residual streams by layer"))])
  }
}
