internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression

extension ReportPage {
  /// Everything that the input has data for, and what would make the rest.
  init(_ input: ReportInput) {
    let parent = input.recipe?.parent ?? input.statistics?.settings.model
    // The work folder of compress is named after what it makes.
    title = input.name.hasSuffix(".work") ? String(input.name.dropLast(5)) : input.name
    subtitle = Self.subtitle(input, parent)
    sections = [
      .overview(input), .tasks(input), .layers(input), .depth(input), .heads(input), .neurons(input),
      .candidates(input), .healing(input), .training(input), .streams(input), .tensors(input),
    ].compactMap { $0 }
    missing = Self.gaps(input)
  }

  private static func subtitle(_ input: ReportInput, _ parent: Recipe.Parent?) -> String {
    var parts: [String] = []
    if let parent {
      let size = "\(parent.layerCount) layers, \(NumberText.count(parent.parameterCount)) parameters"
      parts.append("from \(parent.name), a \(parent.family) of \(size)")
    }
    if let pruning = input.pruning {
      parts += changes(pruning)
    }
    if input.recipe?.quantization != nil { parts.append("weights in FP8") }
    if let settings = input.statistics?.settings {
      parts.append("calibrated on \(settings.tokens) tokens of \(settings.text)")
    }
    return parts.joined(separator: " · ")
  }

  private static func changes(_ plan: PruningPlan) -> [String] {
    var parts: [String] = []
    if !plan.droppedLayers.isEmpty { parts.append("\(plan.droppedLayers.count) layers dropped") }
    var kept: [Axis: Int] = [:]
    for (axis, indices) in plan.keptIndices { kept[axis.axis] = indices.count }
    let names: [(Axis, String)] = [
      (.hidden, "hidden channels"), (.intermediate, "neurons a layer"), (.queryHead, "query heads"),
      (.keyValueHead, "key-value heads"),
    ]
    return parts + names.compactMap { axis, name in kept[axis].map { "\($0) \(name) kept" } }
  }

  private static func gaps(_ input: ReportInput) -> [ReportGap] {
    var gaps: [ReportGap] = []
    func add(_ isMissing: Bool, _ what: String, _ command: String) {
      if isMissing { gaps.append(ReportGap(what: what, command: command)) }
    }
    add(
      input.statistics == nil, "importance of layers, heads, neurons and channels",
      "mtconv calibrate PARENT --text TEXT -o stats.safetensors")
    add(
      input.statistics != nil && input.statistics?.statistics.layerLosses == nil, "loss without each layer",
      "mtconv calibrate PARENT --text TEXT --layer-loss -o stats.safetensors")
    add(
      input.statistics != nil && input.heads == nil, "attention heads, whose width the statistics do not tell",
      "mtconv report DIR --model PARENT -o report.html")
    add(input.pruning == nil, "what is kept and dropped", "mtconv plan PARENT --stats stats.safetensors … -o plan.json")
    add(
      input.candidates == nil, "candidates of a target size",
      "mtconv plan PARENT --stats stats.safetensors --params 75% --heldout TEXT --candidates candidates.json -o plan.json"
    )
    add(
      input.healing == nil && input.pruning != nil, "what healing without training gives",
      "mtconv heal PARENT --plan plan.json --text TEXT -o healed.safetensors --report healing.json")
    add(
      input.verification == nil, "sizes, perplexity and tensor errors",
      "mtconv verify PARENT DIR --text TEXT --json > verification.json")
    add(
      input.evaluations.isEmpty, "scores in tasks",
      "mtconv eval PARENT --compare DIR --task hellaswag --data FILE --json > eval.json")
    return gaps
  }
}
