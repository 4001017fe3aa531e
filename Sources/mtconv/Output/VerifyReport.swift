internal import ModelCompression

/// What verification found, worst tensors first.
struct VerifyReport: Report {
  let report: VerificationReport
  /// Whether the models ran on random tokens and not on a text.
  var isRandom = false
  private static let shownTensors = 8

  private enum CodingKeys: String, CodingKey { case isRandom }

  func encode(to encoder: any Encoder) throws {
    try report.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(isRandom, forKey: .isRandom)
  }

  var text: String { [comparison, tensors, layers, verdicts].compactMap { $0 }.joined(separator: "\n\n") }

  private var comparison: String {
    let quality = report.quality
    var table = TextTable([("", .left), ("parent", .right), ("result", .right), ("ratio", .right)])
    func row(_ name: String, _ a: Double, _ b: Double, _ format: (Double) -> String) {
      table.add([name, format(a), format(b), NumberText.fixed(b / a, 3)])
    }
    row("parameters", Double(quality.parentParameterCount), Double(quality.parameterCount)) {
      NumberText.count(Int($0))
    }
    row("bytes", Double(quality.parentByteCount), Double(quality.byteCount)) { NumberText.bytes(Int($0)) }
    table.add([
      "perplexity", Self.text(quality.parentPerplexity), Self.text(quality.perplexity),
      NumberText.fixed(quality.perplexityRatio, 3),
    ])
    return table.text
  }

  private static func text(_ perplexity: Perplexity) -> String {
    "\(NumberText.fixed(perplexity.value, 3)) ± \(NumberText.fixed(perplexity.standardError, 3))"
  }

  private var tensors: String {
    let worst = report.tensors.filter { !$0.isExact }.sorted { $0.relativeError > $1.relativeError }
    guard !worst.isEmpty else { return "all \(report.tensors.count) tensors are equal to the parent's" }
    var table = TextTable([
      ("tensor", .left), ("max error", .right), ("relative", .right), ("SQNR", .right), ("cosine", .right),
    ])
    for tensor in worst.prefix(Self.shownTensors) {
      table.add([
        tensor.name, NumberText.scientific(tensor.maximumError), NumberText.percent(tensor.relativeError, 3),
        tensor.signalToNoise.map { NumberText.fixed($0, 2) + " dB" } ?? "exact", NumberText.fixed(tensor.cosine, 6),
      ])
    }
    let exact = report.tensors.count - worst.count
    return table.text
      + "\n\(worst.count) of \(report.tensors.count) tensors differ from the parent's, \(exact) are equal"
      + (worst.count > Self.shownTensors ? "; the \(Self.shownTensors) furthest are shown" : "")
  }

  /// The cosine of what each layer reads, a few to a line; nothing where there is nothing to compare or nothing differs.
  private var layers: String? {
    guard report.layers.contains(where: { $0.cosine < 1 - 1e-6 }) else { return nil }
    let cells = report.layers.map { similarity in
      let name = similarity.layer.map { "\($0)" } ?? "end"
      return String(repeating: " ", count: max(0, 4 - name.count)) + name + "  "
        + NumberText.fixed(similarity.cosine, 4)
    }
    let rows = stride(from: 0, to: cells.count, by: Self.layersOfLine).map { start in
      cells[start..<min(start + Self.layersOfLine, cells.count)].joined(separator: "  ")
    }
    return "what each layer reads, cosine to what the parent's reads\n" + rows.joined(separator: "\n")
  }

  private static let layersOfLine = 6

  private var checks: String {
    let checks = report.correctness.checks
    var parts = ["\(checks.recomputed) tensors computed again from the parent"]
    if checks.overlaid > 0 { parts.append("\(checks.overlaid) from the new weights") }
    if checks.hashed > 0 { parts.append("\(checks.hashed) known by their hash") }
    return "             checked: " + parts.joined(separator: ", ")
  }

  private var verdicts: String {
    let (correctness, quality) = (report.correctness, report.quality)
    var lines = [
      "correctness  \(mark(correctness.passes))  logit error \(NumberText.scientific(correctness.normalizedError))"
        + " against \(correctness.reference) (at most \(NumberText.scientific(correctness.tolerance, 0)))"
    ]
    if report.correctness.checks.overlaid + report.correctness.checks.hashed > 0 { lines.append(checks) }
    lines += list("missing, extra or misshapen", correctness.unmatchedTensors)
    if !correctness.passes { lines += list("different from \(correctness.reference)", correctness.differingTensors) }
    lines += list("not as in \(correctness.reference)", correctness.differingSettings)
    let comparison = quality.comparison
    var line = "quality      \(quality.maximumPerplexityRatio == nil ? "    " : mark(quality.passes))"
    line += "  KL \(NumberText.fixed(comparison.divergence, 5)) nats,"
    line += " same top token \(NumberText.percent(comparison.topAgreement)),"
    line += " perplexity × \(NumberText.fixed(quality.perplexityRatio, 3))"
    if let limit = quality.maximumPerplexityRatio { line += " (at most \(NumberText.fixed(limit, 3)))" }
    line += " over \(comparison.tokenCount) tokens"
    if isRandom { line += ", which are random: perplexity needs a text" }
    lines.append(line)
    if let emulation = report.emulation { lines.append("             run with " + emulation.text) }
    return lines.joined(separator: "\n")
  }

  /// A line under the verdict that names the first of some differences.
  private func list(_ what: String, _ names: [String]) -> [String] {
    guard !names.isEmpty else { return [] }
    let more = names.count > 3 ? " and \(names.count - 3) more" : ""
    return ["             \(what): " + names.prefix(3).joined(separator: ", ").escapingControls() + more]
  }

  private func mark(_ passes: Bool) -> String { passes ? "pass" : "FAIL" }
}
