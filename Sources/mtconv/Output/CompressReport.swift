internal import ModelCompression

/// The plan, and what came of it.
struct CompressReport: Report {
  let recipe: Recipe
  /// What was worked out on the way, or taken from an earlier run.
  var steps: [Step] = []
  /// Of a dry run.
  let sizes: Sizes?
  var healing: HealingReport?
  var distillation: DistillationReport?
  /// What a distillation would take; of a dry run.
  var forecast: DistillationStep.Forecast?
  /// From the parent to what was written; empty if there was nothing between.
  var stages: [Stage] = []
  let verification: VerifyReport?

  private enum CodingKeys: String, CodingKey {
    case recipe, steps, sizes, healing, distillation, forecast, stages, verification
  }

  struct Step: Encodable {
    let name: String
    let file: String
    let isReused: Bool
  }

  struct Sizes: Encodable {
    let parentParameters: Int
    let parameters: Int
    let parentBytes: Int
    let bytes: Int
  }

  var text: String {
    var parts: [String] = []
    let reused = steps.filter(\.isReused).map { "\($0.name) taken from \($0.file)" }
    if !reused.isEmpty { parts.append(reused.joined(separator: "\n")) }
    if let pruning = recipe.pruning { parts.append(layers(pruning)) }
    if let healing { parts.append(text(of: healing)) }
    if let distillation { parts.append(text(of: distillation)) }
    if let forecast { parts.append(forecast.text) }
    if let sizes { parts.append(table(sizes)) }
    if !stages.isEmpty { parts.append(table(stages)) }
    if let verification { parts.append(verification.text) }
    return parts.joined(separator: "\n\n")
  }

  private func text(of healing: HealingReport) -> String {
    "healed without training: \(healing.keptStepCount) of \(healing.steps.count) fits kept, judged on"
      + " \(healing.heldOutTokens) of \(healing.tokens) tokens"
  }

  private func text(of training: DistillationReport) -> String {
    let run =
      "\(NumberText.count(training.tokens)) tokens, \(training.divergence?.steps ?? training.settings.steps) steps"
    let skipped = training.skippedSteps > 0 ? ", \(training.skippedSteps) skipped for numbers that are not finite" : ""
    let end = training.divergence.map { "\n\($0.message)" } ?? ""
    guard training.isUsed else {
      return "distilled on \(run)\(skipped), and no better than before: the weights before are used\(end)"
    }
    return "distilled on \(run)\(skipped): the weights after step \(training.bestStep) are used\(end)"
  }

  private func table(_ stages: [Stage]) -> String {
    var table = TextTable([("held-out text", .left), ("perplexity", .right), ("KL, nats", .right)])
    for stage in stages {
      let perplexity = stage.perplexity
      table.add([
        stage.name, "\(NumberText.fixed(perplexity.value, 3)) ± \(NumberText.fixed(perplexity.standardError, 3))",
        stage.divergence.map { NumberText.fixed($0, 5) } ?? "",
      ])
    }
    return table.text
  }

  /// A bar for each layer: what it changes, and whether it stays.
  private func layers(_ pruning: PruningPlan) -> String {
    let dropped = Set(pruning.droppedLayers)
    let title =
      "\(pruning.keptLayers.count) of \(pruning.parentLayerCount) layers kept"
      + (pruning.criterion == .explicit ? "" : ", by \(pruning.criterion.words)")
    guard let scores = pruning.scores, let highest = scores.max(), highest > 0 else {
      return title + ": " + pruning.keptLayers.map(String.init).joined(separator: ", ")
    }
    return title + "\n\n" + LayerChart(title: pruning.criterion.scoreTitle, scores: scores, dropped: dropped).text
  }

  private func table(_ sizes: Sizes) -> String {
    var table = TextTable([("", .left), ("parent", .right), ("result", .right), ("ratio", .right)])
    table.add([
      "parameters", NumberText.count(sizes.parentParameters), NumberText.count(sizes.parameters),
      NumberText.fixed(Double(sizes.parameters) / Double(max(sizes.parentParameters, 1)), 3),
    ])
    table.add([
      "bytes", NumberText.bytes(sizes.parentBytes), NumberText.bytes(sizes.bytes),
      NumberText.fixed(Double(sizes.bytes) / Double(max(sizes.parentBytes, 1)), 3),
    ])
    return table.text
  }
}
