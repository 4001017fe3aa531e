internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression

/// Candidates as they are written to a file of their own.
struct FoundCandidates: Encodable {
  let goal: String
  /// Tokens that operations and cache are for.
  let context: Int
  let hiddenAlignment: Int
  let feedForwardAlignment: Int
  /// Best first.
  let candidates: [PlanCandidate]
}

struct PlanReport: Report {
  let output: String
  let plan: PruningPlan
  let parent: Model
  let pruned: Model
  /// Which layers each criterion would drop.
  let depth: DepthComparison?
  let search: FoundCandidates?
  private let shown: Int

  struct Model: Encodable {
    let sizes: ModelSizes
    let footprint: ModelFootprint

    init(_ model: Checkpoint, _ footprint: ModelFootprint) {
      sizes = ModelSizes(model.hyperparameters)
      self.footprint = footprint
    }
  }

  private enum CodingKeys: String, CodingKey { case output, plan, parent, pruned, depth, search }

  init(
    parent: Model, pruned: Model, plan: PruningPlan, depth: DepthComparison?, search: FoundCandidates?, shown: Int,
    output: String
  ) {
    self.parent = parent
    self.pruned = pruned
    self.plan = plan
    self.depth = depth
    self.search = search
    self.shown = shown
    self.output = output
  }

  var text: String {
    let dropped = plan.droppedLayers.map(String.init).joined(separator: ", ")
    let parts = [
      search.map { candidates($0) }, sizes, depth.map { comparison($0) },
      dropped.isEmpty ? nil : "layers dropped: \(dropped)", "plan in \(output)",
    ]
    return parts.compactMap { $0 }.joined(separator: "\n\n")
  }

  private var sizes: String {
    var table = TextTable([("", .left), ("parent", .right), ("kept", .right), ("ratio", .right)])
    func add(_ name: String, _ text: (Int) -> String = { "\($0)" }, _ value: (Model) -> Int) {
      let (old, new) = (value(parent), value(pruned))
      table.add([name, text(old), text(new), NumberText.fixed(Double(new) / Double(max(old, 1)), 3)])
    }
    add("layers") { $0.sizes.layers }
    add("hidden") { $0.sizes.hidden }
    add("feed-forward") { $0.sizes.intermediate }
    add("query heads") { $0.sizes.queryHeads }
    add("key-value heads") { $0.sizes.keyValueHeads }
    add("parameters", NumberText.count) { $0.footprint.parameters }
    add("bytes written", NumberText.bytes) { $0.footprint.weightBytes }
    add("cache at \(parent.footprint.context) tokens", NumberText.bytes) { $0.footprint.cacheBytes }
    add("operations a prompt token", NumberText.count) { $0.footprint.prefillOperations }
    add("bytes read a new token", NumberText.bytes) { $0.footprint.decodeBytes }
    return table.text
  }

  private func comparison(_ depth: DepthComparison) -> String {
    let measured = depth.choices.contains { $0.loss != nil }
    var table = TextTable([
      ("layers by", .left), ("", .left), ("would drop", .left), ("as the plan", .right),
      (measured ? "loss" : "", .right),
    ])
    for choice in depth.choices {
      table.add([
        choice.criterion.words, choice.isContiguous ? "contiguous" : "scattered", LayerRanges.text(choice.dropped),
        "\(choice.sharedWithPlan) of \(choice.dropped.count)", choice.loss.map { NumberText.fixed($0, 4) } ?? "",
      ])
    }
    return table.text
  }

  private func candidates(_ found: FoundCandidates) -> String {
    let best = found.candidates.prefix(shown)
    let hasTask = best.contains { $0.taskScore != nil }
    let hasHealed = best.contains { $0.healedLoss != nil }
    var columns: [(title: String, alignment: TextTable.Alignment)] = [
      ("", .left), ("layers", .right), ("hidden", .right), ("ffn", .right), ("heads", .right), ("kv", .right),
      ("parameters", .right), ("bytes", .right), ("operations", .right), ("cache", .right), ("estimate", .right),
      ("loss", .right),
    ]
    if hasHealed { columns.append(("healed", .right)) }
    if hasTask { columns.append(("task", .right)) }
    var table = TextTable(columns)
    for candidate in best {
      let sizes = candidate.sizes
      func text(_ value: Double?, _ digits: Int = 4) -> String { value.map { NumberText.fixed($0, digits) } ?? "–" }
      var row = [
        candidate.isChosen ? "→" : "", "\(sizes.layers)", "\(sizes.hidden)", "\(sizes.intermediate)",
        "\(sizes.queryHeads)", "\(sizes.keyValueHeads)", NumberText.count(candidate.parameters),
        NumberText.bytes(candidate.bytes), NumberText.count(candidate.flops), NumberText.bytes(candidate.kvBytes),
        NumberText.fixed(candidate.estimate, 3), text(candidate.loss),
      ]
      if hasHealed { row.append(text(candidate.healedLoss)) }
      if hasTask { row.append(text(candidate.taskScore, 3)) }
      table.add(row)
    }
    let count = found.candidates.count
    let units = "hidden in steps of \(found.hiddenAlignment), ffn of \(found.feedForwardAlignment)"
    return "\(count) \(count == 1 ? "candidate" : "candidates") for \(found.goal); \(units)\n\n" + table.text
  }
}

/// Ascending layer numbers with runs written short: `2, 10–13`.
enum LayerRanges {
  static func text(_ layers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for layer in layers {
      if let last = runs.last, last.upperBound + 1 == layer {
        runs[runs.count - 1] = last.lowerBound...layer
      } else {
        runs.append(layer...layer)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }.joined(separator: ", ")
  }
}

extension PruningPlan.Criterion {
  var words: String {
    switch self {
    case .blockInfluence: "block influence"
    case .angularDistance: "angular distance"
    case .loss: "loss"
    case .perplexity: "perplexity"
    case .task: "task"
    case .explicit: "hand"
    }
  }

  /// What the score of a layer is.
  var scoreTitle: String {
    switch self {
    case .blockInfluence: "influence"
    case .angularDistance: "distance"
    case .loss: "loss added"
    case .perplexity: "perplexity added"
    case .task, .explicit: "score"
    }
  }
}
