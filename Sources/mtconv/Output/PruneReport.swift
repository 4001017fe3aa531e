internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import OrderedCollections
internal import TensorFormats

/// What a cut leaves, size by size, and what became of the element formats.
struct PruneReport: Report {
  let output: String
  let fileFormat: String
  let sizes: [Size]
  let parentBytes: Int
  let bytes: Int
  let parentFormat: ElementFormat
  let format: ElementFormat
  /// Weights that another method made, and not the cut.
  let replacedWeights: Int
  /// Weights that have another element format than the parent's.
  let formatChanges: [FormatChange]

  struct Size: Encodable {
    let name: String
    let parent: Int
    let result: Int
  }

  struct FormatChange: Encodable {
    let from: ElementFormat
    let to: ElementFormat
    let weights: Int
  }

  init(_ recipe: Recipe, of parent: Checkpoint, _ overlay: WeightOverlay?, output: String) throws {
    let result = try recipe.applied(to: parent, overlay: overlay)
    self.output = output
    fileFormat = recipe.output.rawValue
    let (a, b) = (parent.hyperparameters, result.hyperparameters)
    sizes = [
      Size(name: "layers", parent: a.layerCount, result: b.layerCount),
      Size(name: "hidden", parent: a.hiddenSize, result: b.hiddenSize),
      Size(name: "feed-forward", parent: a.intermediateSize, result: b.intermediateSize),
      Size(name: "query heads", parent: a.queryHeadCount, result: b.queryHeadCount),
      Size(name: "key-value heads", parent: a.keyValueHeadCount, result: b.keyValueHeadCount),
      Size(name: "parameters", parent: parent.parameterCount, result: result.parameterCount),
    ]
    (parentBytes, bytes) = (parent.byteCount, try result.byteCount(as: recipe.output))
    (parentFormat, format) = (parent.mainFormat, result.mainFormat)
    replacedWeights = recipe.overlay?.weights.count ?? 0
    formatChanges = Self.formatChanges(recipe, parent, result)
  }

  private static func formatChanges(_ recipe: Recipe, _ parent: Checkpoint, _ result: Checkpoint) -> [FormatChange] {
    let layers = recipe.pruning?.keptLayers ?? Array(0..<parent.hyperparameters.layerCount)
    var counts: OrderedDictionary<[ElementFormat], Int> = [:]
    for (key, weight) in result.weights {
      let source = WeightKey(key.role, key.part, layer: key.layer.map { layers[$0] })
      guard let old = parent.weights[source]?.format, old != weight.format else { continue }
      counts[[old, weight.format], default: 0] += 1
    }
    return counts.map { FormatChange(from: $0[0], to: $0[1], weights: $1) }
  }

  var text: String {
    var table = TextTable([("", .left), ("parent", .right), ("result", .right), ("ratio", .right)])
    for size in sizes {
      let text = size.name == "parameters" ? NumberText.count : { "\($0)" }
      table.add([size.name, text(size.parent), text(size.result), ratio(size.result, size.parent)])
    }
    table.add(["bytes", NumberText.bytes(parentBytes), NumberText.bytes(bytes), ratio(bytes, parentBytes)])
    table.add(["format", parentFormat.name, format.name, ""])
    var lines = [table.text, ""]
    for change in formatChanges {
      lines.append("\(weights(change.weights)) of \(change.from) became \(change.to)")
    }
    if replacedWeights > 0 { lines.append("\(weights(replacedWeights)) replaced") }
    return (lines + ["\(fileFormat): \(output)"]).joined(separator: "\n")
  }

  private func weights(_ count: Int) -> String { count == 1 ? "1 weight" : "\(count) weights" }

  private func ratio(_ result: Int, _ parent: Int) -> String {
    NumberText.fixed(Double(result) / Double(max(parent, 1)), 3)
  }
}
