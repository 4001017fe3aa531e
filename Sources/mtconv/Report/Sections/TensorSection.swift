extension ReportSection {
  /// How far every tensor is from the parent's.
  static func tensors(_ input: ReportInput) -> ReportSection? {
    guard let tensors = input.verification?.tensors, !tensors.isEmpty else { return nil }
    let changed = tensors.filter { !$0.isExact }
    let exact = tensors.count - changed.count
    var lead = "\(exact) of \(tensors.count) tensors are equal to the parent's, in the places the plan gives them."
    guard !changed.isEmpty else {
      return ReportSection(id: "tensors", title: "Tensors", lead: lead, content: [])
    }
    let ratios = changed.compactMap(\.signalToNoise)
    if let worst = ratios.min(), let best = ratios.max() {
      lead +=
        " The others have a signal \(NumberText.fixed(worst, 1)) to \(NumberText.fixed(best, 1)) dB above their error."
    }
    if input.healing?.steps.contains(where: \.isKept) == true {
      lead += " Weights that healing refitted are far from the parent's on purpose."
    }
    let map = matrix(tensors)
    let chart =
      map.rows.isEmpty
      ? []
      : [
        Markup.figure(
          "Error of weights by layer, as signal to noise", map.markup(label: "Signal to noise of every weight"),
          legend: [("gradient bad", span(ratios)), ("pale", "equal")])
      ]
    return ReportSection(id: "tensors", title: "Tensors", lead: lead, content: chart + [table(changed)])
  }

  /// Decibels from the palest to the darkest cell, at least, so that small differences look small.
  private static let smallestSpan = 6.0

  private static func span(_ ratios: [Double]) -> String {
    let high = ratios.max() ?? 0
    let low = min(ratios.min() ?? 0, high - smallestSpan)
    return "\(NumberText.fixed(high, 1)) to \(NumberText.fixed(low, 1)) dB"
  }

  /// A row for each kind of weight, a column for each layer; the darker, the noisier.
  private static func matrix(_ tensors: [VerificationRecord.Tensor]) -> HeatMap {
    var kinds: [String] = []
    var cells: [String: [Int: VerificationRecord.Tensor]] = [:]
    for tensor in tensors {
      guard let place = place(of: tensor.name) else { continue }
      if cells[place.kind] == nil { kinds.append(place.kind) }
      cells[place.kind, default: [:]][place.layer] = tensor
    }
    let layerCount = (cells.values.flatMap(\.keys).max() ?? -1) + 1
    let ratios = tensors.compactMap { $0.isExact ? nil : $0.signalToNoise }
    let (low, high) = (ratios.min() ?? 0, ratios.max() ?? 1)
    let changed = kinds.filter { kind in cells[kind]!.values.contains { !$0.isExact } }
    let rows = changed.map { kind in
      (
        label: kind,
        cells: (0..<layerCount).map { layer in
          guard let tensor = cells[kind]?[layer] else { return HeatMap.Cell(shade: nil, title: "") }
          guard !tensor.isExact else {
            return HeatMap.Cell(shade: 0.08, title: "\(tensor.name): equal")
          }
          let ratio = tensor.signalToNoise ?? low
          let shade = 0.2 + 0.8 * (high - ratio) / max(high - low, smallestSpan)
          return HeatMap.Cell(
            shade: shade, title: "\(tensor.name): \(NumberText.fixed(ratio, 2)) dB", style: "shade-bad")
        }
      )
    }
    return HeatMap(rows: rows, xTitle: "layer", yTitle: "")
  }

  /// `model.layers.3.mlp.up_proj.weight` is `mlp.up_proj` of layer 3.
  static func place(of name: String) -> (layer: Int, kind: String)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let index = parts.indices.first(where: { Int(parts[$0]) != nil }), let layer = Int(parts[index]),
      layer >= 0, layer < 10_000, index + 1 < parts.count
    else { return nil }
    let rest = parts[(index + 1)...]
    let kind = (rest.last == "weight" && rest.count > 1 ? rest.dropLast() : rest).joined(separator: ".")
    return (layer, kind)
  }

  private static let shownRows = 12

  private static func table(_ changed: [VerificationRecord.Tensor]) -> Markup {
    let worst = changed.sorted { ($0.relativeError ?? .infinity) > ($1.relativeError ?? .infinity) }
    let rows = worst.prefix(shownRows).map { tensor in
      [
        tensor.name, tensor.maximumError.map { NumberText.scientific($0) } ?? "–",
        tensor.relativeError.map { NumberText.percent($0, 3) } ?? "–",
        tensor.signalToNoise.map { NumberText.fixed($0, 2) + " dB" } ?? "–",
        tensor.cosine.map { NumberText.fixed($0, 6) } ?? "–",
      ]
    }
    let title = changed.count > shownRows ? "furthest \(shownRows) of \(changed.count)" : "tensor"
    return .table([title, "max error", "relative", "signal to noise", "cosine"], rows)
  }
}
