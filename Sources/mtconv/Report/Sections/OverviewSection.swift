internal import ModelCompression

extension ReportSection {
  /// What was done and what it cost, from the verification.
  static func overview(_ input: ReportInput) -> ReportSection? {
    guard let record = input.verification else { return nil }
    let quality = record.quality
    let tiles = Markup.tiles([
      (NumberText.count(quality.parameterCount), "parameters", "of \(NumberText.count(quality.parentParameterCount))"),
      (NumberText.bytes(quality.byteCount), "in the file", "of \(NumberText.bytes(quality.parentByteCount))"),
      (
        text(quality.perplexity.value, 2), "perplexity",
        "parent \(text(quality.parentPerplexity.value, 2)); × \(text(quality.perplexityRatio, 3))"
      ),
      (
        text(quality.comparison.divergence, 4), "nats KL from the parent",
        "mean over \(quality.comparison.tokenCount) tokens"
      ),
      (
        quality.comparison.topAgreement.map { NumberText.percent($0) } ?? "–", "same top token",
        "as the parent finds likeliest"
      ),
      (
        record.correctness.passes ? "pass" : "FAIL", "correctness", "against \(record.correctness.reference)"
      ),
    ])
    return ReportSection(
      id: "overview", title: "Before and after", lead: lead(quality),
      content: [
        tiles,
        .figure("Size against the parent's", sizes(quality), legend: [("other", "parent"), ("kept", "result")]),
      ] + (input.stages.isEmpty ? [] : [table(input.stages)]))
  }

  /// What each step took and gave.
  private static func table(_ stages: [Stage]) -> Markup {
    .table(
      ["held-out text", "perplexity", "standard error", "KL from the parent, nats"],
      stages.map { stage in
        [
          stage.name, text(stage.perplexity.value, 3), text(stage.perplexity.standardError, 3),
          stage.divergence.map { text($0, 5) } ?? "",
        ]
      })
  }

  private static func lead(_ quality: VerificationRecord.Quality) -> String {
    let share = Double(quality.parameterCount) / Double(max(quality.parentParameterCount, 1))
    let bytes = Double(quality.byteCount) / Double(max(quality.parentByteCount, 1))
    let text = "\(NumberText.percent(share)) of the parameters and \(NumberText.percent(bytes)) of the bytes are left"
    return text
      + (quality.perplexityRatio.map { "; perplexity is \(NumberText.fixed($0, 3)) times the parent's." } ?? ".")
  }

  private static func text(_ value: Double?, _ digits: Int) -> String {
    value.map { NumberText.fixed($0, digits) } ?? "–"
  }

  private static func sizes(_ quality: VerificationRecord.Quality) -> Markup {
    let rows = [
      ("parameters", quality.parentParameterCount, quality.parameterCount, NumberText.count),
      ("bytes", quality.parentByteCount, quality.byteCount, NumberText.bytes),
    ]
    var drawing = Drawing(width: 1000, height: 60 * Double(rows.count))
    let (left, width) = (100.0, 790.0)
    for (index, (name, parent, result, format)) in rows.enumerated() {
      let y = 6 + 60 * Double(index)
      let scale = width / Double(max(parent, result, 1))
      let (parentWidth, resultWidth) = (scale * Double(parent), scale * Double(result))
      drawing.text(name, x: left - 10, y: y + 25, anchor: .end, class: "title")
      drawing.rectangle(
        x: left, y: y, width: parentWidth, height: 18, class: "other", title: "parent: \(parent) \(name)")
      drawing.rectangle(
        x: left, y: y + 22, width: resultWidth, height: 18, class: "kept", title: "result: \(result) \(name)")
      drawing.text(format(parent), x: left + parentWidth + 8, y: y + 13)
      drawing.text(format(result), x: left + resultWidth + 8, y: y + 35, class: "note")
    }
    return drawing.markup(label: "Parameters and bytes of the parent and the result")
  }
}
