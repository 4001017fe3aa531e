public import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
public import ModelCompression
internal import TensorFormats

/// Sizes that somebody gives, and the goal that the others follow from.
struct SizeOptions: ParsableArguments {
  private static let usualShare = 0.5

  @Option(name: .long, help: ArgumentHelp("Layers to drop.", valueName: "count"))
  var dropLayers: Int?

  @Option(name: .long, help: ArgumentHelp("Layers to keep.", valueName: "count"))
  var keepLayers: Int?

  @Option(name: .long, help: ArgumentHelp("Hidden size.", valueName: "size"))
  var hidden: Int?

  @Option(name: .long, help: ArgumentHelp("Feed-forward size.", valueName: "size"))
  var ffn: Int?

  @Option(name: .long, help: ArgumentHelp("Query heads, a multiple of the key-value heads.", valueName: "count"))
  var heads: Int?

  @Option(name: .long, help: ArgumentHelp("Key-value heads.", valueName: "count"))
  var kvHeads: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Find sizes of so many parameters: 50% of the model's, or 4.5B.", valueName: "count"))
  var params: ParameterGoal?

  @Option(
    name: .long,
    help: ArgumentHelp("Find sizes whose weights have so many bytes as they are written: 4GiB.", valueName: "size"))
  var bytes: ByteSize?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Find sizes whose weights fit into so many bytes together with the key-value cache of a sequence: 6GiB@8192.",
      valueName: "size@tokens"))
  var fits: MemoryGoal?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Find sizes that are so much faster in the same format: 2x@decode by bytes read for a token, 2x@prefill by operations (default: decode).",
      valueName: "factor"))
  var speedup: SpeedupGoal?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What a goal may cut: layers, ffn, hidden, heads, kv-heads, or the words depth, width, all (default: layers,ffn).",
      valueName: "list"))
  var axes: CutAxes?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Hidden and feed-forward sizes are multiples of it (default: 256 or 128, less in small models).",
      valueName: "count"))
  var align: Int?

  @Option(name: .long, help: ArgumentHelp("Largest share of the layers that a goal cuts.", valueName: "share"))
  var maxDepth = usualShare

  @Option(name: .long, help: ArgumentHelp("Largest share of each width that a goal cuts.", valueName: "share"))
  var maxWidth = usualShare

  func validate() throws {
    if dropLayers != nil, keepLayers != nil { throw ValidationError("give --drop-layers or --keep-layers, not both") }
    let goals = [params?.goal, bytes.map { .weightBytes($0.count) }, fits?.goal, speedup?.goal].compactMap { $0 }
    if goals.count > 1 { throw ValidationError("give one of --params, --bytes, --fits and --speedup") }
    if goals.isEmpty, axes != nil || align != nil || maxDepth != Self.usualShare || maxWidth != Self.usualShare {
      throw ValidationError(
        "--axes, --align, --max-depth and --max-width are for a goal: --params, --bytes, --fits or --speedup")
    }
    for (name, value) in [
      ("--keep-layers", keepLayers), ("--hidden", hidden), ("--ffn", ffn), ("--heads", heads), ("--kv-heads", kvHeads),
      ("--align", align),
    ] {
      if let value, value < 1 { throw ValidationError("\(name) is \(value), expected at least 1") }
    }
    if let dropLayers, dropLayers < 0 { throw ValidationError("--drop-layers is \(dropLayers), expected at least 0") }
    for (name, share) in [("--max-depth", maxDepth), ("--max-width", maxWidth)] where !(share >= 0 && share < 1) {
      throw ValidationError("\(name) is \(share), expected a share from 0 to less than 1")
    }
  }

  /// Whether all that is asked for is that no layer goes.
  var dropsNothing: Bool {
    dropLayers == 0 && goal == nil && [hidden, ffn, heads, kvHeads].allSatisfy { $0 == nil }
  }

  /// Whether there is anything to plan.
  var isEmpty: Bool { goal == nil && !hasSizes }

  func requireSomething() throws {
    guard isEmpty else { return }
    throw ValidationError(
      "nothing to plan: give --drop-layers, --keep-layers, --hidden, --ffn, --heads or --kv-heads, "
        + "or a goal: --params, --bytes, --fits or --speedup")
  }

  private var hasSizes: Bool { [dropLayers, keepLayers, hidden, ffn, heads, kvHeads].contains { $0 != nil } }

  var goal: SizeGoal? { params?.goal ?? bytes.map { .weightBytes($0.count) } ?? fits?.goal ?? speedup?.goal }

  func target(_ model: Hyperparameters) -> PruningTarget {
    PruningTarget(
      layers: keepLayers ?? dropLayers.map { model.layerCount - $0 }, hidden: hidden, intermediate: ffn,
      queryHeads: heads, keyValueHeads: kvHeads)
  }

  /// Whether a goal may drop layers.
  var mayCutLayers: Bool { goal != nil && axes?.dimensions.contains(.layers) ?? true }

  func space(_ model: Hyperparameters, _ output: OutputFormat) throws -> SizeSpace {
    var settings = SizeSpace.Settings()
    if let axes { settings.dimensions = axes.dimensions }
    settings.fixed = target(model)
    settings.alignment = align
    settings.maximumDepth = maxDepth
    settings.maximumWidth = maxWidth
    return try SizeSpace(of: model, in: output, settings: settings)
  }
}

/// What is important.
struct ImportanceOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "What layers are chosen by: influence, angular (distance), loss or perplexity (calibrate --layer-loss), task (--task). Default: loss if it was measured, as compress does, otherwise influence; angular with --contiguous.",
      valueName: "criterion"))
  var depthBy: DepthCriterion?

  @Flag(
    inversion: .prefixedNo,
    help: "Drop neighbouring layers, judged as one; the default of --depth-by angular.")
  var contiguous: Bool?

  @Flag(name: .long, help: "Judge hidden channels at the last norm, too.")
  var finalNorm = false

  @Option(
    name: .long,
    help: "How activations of a sequence become one number (default: l2 for neurons, mean, as Minitron, for the rest).")
  var sequence: Aggregate?

  @Option(name: .long, help: "How sequences become one number.")
  var batch: Aggregate = .l2

  /// What layers are chosen by, if nobody says: what loses least on other text.
  func criterion(_ statistics: ActivationStatistics) -> PruningPlan.Criterion {
    if let depthBy { return depthBy.criterion }
    if contiguous == true { return .angularDistance }
    return statistics.layerLosses == nil ? .blockInfluence : .loss
  }

  /// Whether the losses without layers are needed, if they can be had.
  var choosesByLoss: Bool {
    if let depthBy { return depthBy == .loss || depthBy == .perplexity }
    return contiguous != true
  }

  var isContiguous: Bool { contiguous ?? (depthBy == .angular) }

  /// Whether anything is said of it.
  var isGiven: Bool { depthBy != nil || contiguous != nil || finalNorm || sequence != nil || batch != .l2 }

  var settings: Importance.Settings {
    var settings = Importance.Settings()
    settings.includesFinalNorm = finalNorm
    if let sequence { (settings.sequence, settings.neuronSequence) = (sequence, sequence) }
    settings.batch = batch
    return settings
  }
}

/// What the model will be written as.
struct FormatOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Element format that sizes are counted in.", valueName: "format"))
  var dtype: ElementFormat = .bf16

  @Flag(name: .long, help: "Count FP8 weights, as compress --fp8 writes them.")
  var fp8 = false

  @Option(
    name: .long,
    help: ArgumentHelp("Count FP8 weights, as quantize writes them in this scheme.", valueName: "scheme"))
  var scheme: QuantizationScheme.Kind?

  @Flag(name: .long, help: "Count an FP8 key-value cache, as quantize --kv-cache prepares it; otherwise it is F16.")
  var kvCache = false

  @Flag(name: .long, help: "Count tensors as a GGUF file has them.")
  var gguf = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Tokens that cache and operations are counted for (default: those of --fits; or 4096, or the model's own context if shorter).",
      valueName: "tokens"))
  var at: Int?

  func validate() throws {
    if fp8, scheme != nil { throw ValidationError("--fp8 is --scheme fp8-dynamic; give one of them") }
    if kvCache, gguf { throw ValidationError("GGUF has no FP8; leave --kv-cache out") }
    if fp8 || scheme != nil, gguf { throw ValidationError("GGUF has no FP8; give --fp8 or --gguf") }
    if dtype.kind == .quantizedBlock, !gguf { throw ValidationError("--dtype \(dtype.name.lowercased()) needs --gguf") }
    if let at, at < 1 { throw ValidationError("--at is \(at), expected at least 1") }
    if let at, at > MemoryGoal.contextLimit {
      throw ValidationError("--at is \(at), expected at most \(MemoryGoal.contextLimit)")
    }
  }

  var output: OutputFormat {
    let kind = scheme ?? (fp8 ? .fp8Dynamic : nil)
    return OutputFormat(
      gguf ? .gguf : .huggingFace, elementFormat: dtype,
      quantization: kind.map { QuantizationScheme(kind: $0, quantizesKeyValueCache: kvCache) },
      cacheFormat: kvCache ? .f8E4M3 : .f16)
  }

  func context(_ goal: SizeGoal?, _ model: Checkpoint) -> Int { goal?.context ?? at ?? model.limited(context: 4096) }
}

/// How candidates are judged.
struct SearchOptions: ParsableArguments {
  private static let usualSearch = 16

  @Option(name: .long, help: ArgumentHelp("Candidates to run.", valueName: "count"))
  var search = usualSearch

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Heal the best so many that were run, on --calibration text, and rank them by what they are then.",
      valueName: "count"))
  var searchHeal: Int?

  @Option(name: .long, help: "A task that ranks candidates, and layers with --depth-by task.")
  var task: EvaluationTask?

  @Option(
    name: .long, help: ArgumentHelp("Its questions, a file of JSON lines.", valueName: "file"), completion: .file())
  var taskData: String?

  @Option(name: .long, help: ArgumentHelp("Questions to ask (default: all).", valueName: "count"))
  var taskLimit: Int?

  func validate() throws {
    if (task == nil) != (taskData == nil) { throw ValidationError("--task and --task-data go together") }
    if taskLimit != nil, task == nil { throw ValidationError("--task-limit needs --task") }
    for (name, value) in [
      ("--search", search), ("--task-limit", taskLimit ?? 1), ("--search-heal", searchHeal ?? 1),
    ] where value < 1 { throw ValidationError("\(name) is \(value), expected at least 1") }
  }

  /// Whether anything is said of candidates.
  var isGiven: Bool { search != Self.usualSearch || searchHeal != nil || task != nil }

  /// Refuses to heal candidates when there is nothing to rank them by.
  func requireRanking(_ heldout: String?) throws {
    guard searchHeal != nil, heldout == nil, task == nil else { return }
    throw ValidationError("--search-heal needs --heldout TEXT or a task to rank by")
  }

  func questions(for model: Checkpoint) throws -> TaskSet? {
    guard let task, let taskData else { return nil }
    return try TaskSet(task, path: taskData, limit: taskLimit, for: model)
  }
}

/// What is told of candidates and criteria that were not chosen.
struct ListingOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Candidates to print.", valueName: "count"))
  var top = 10

  @Option(
    name: .long, help: ArgumentHelp("Write all candidates to this JSON file.", valueName: "file"), completion: .file())
  var candidates: String?

  @Flag(name: .long, help: "Run the model without the layers that each criterion would drop.")
  var compareDepth = false

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top), expected at least 1") }
  }
}

/// The texts of a plan.
struct PlanTextOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp("Other text, on which the best candidates are run.", valueName: "file"), completion: .file())
  var heldout: String?

  @Option(name: .long, help: ArgumentHelp("Sequences of the held-out text.", valueName: "count"))
  var heldoutChunks = 4

  @Option(
    name: .long, help: ArgumentHelp("Text that candidates are healed on.", valueName: "file"), completion: .file())
  var calibration: String?

  @Option(name: .long, help: ArgumentHelp("Sequences of the calibration text.", valueName: "count"))
  var calibrationChunks = 32

  /// What `search` and `listing` need of texts.
  func validate(_ search: SearchOptions, _ listing: ListingOptions) throws {
    if (search.searchHeal == nil) != (calibration == nil) {
      throw ValidationError("--search-heal and --calibration go together")
    }
    try search.requireRanking(heldout)
    if listing.compareDepth, heldout == nil { throw ValidationError("--compare-depth needs --heldout TEXT") }
    for (name, value) in [("--heldout-chunks", heldoutChunks), ("--calibration-chunks", calibrationChunks)]
    where value < 1 { throw ValidationError("\(name) is \(value), expected at least 1") }
  }

  func heldOutSet(_ sequences: TextOptions, _ model: Checkpoint) throws -> CalibrationSet? {
    try heldout.map { try set($0, heldoutChunks, .start, sequences, model) }
  }

  func calibrationSet(_ sequences: TextOptions, _ model: Checkpoint) throws -> CalibrationSet? {
    try calibration.map { try set($0, calibrationChunks, sequences.sample ?? .spread, sequences, model) }
  }

  private func set(
    _ path: String, _ chunks: Int, _ sample: Sampling, _ sequences: TextOptions, _ model: Checkpoint
  ) throws -> CalibrationSet {
    var options = sequences
    (options.chunks, options.sample) = (chunks, sample)
    return try options.set(path, model: model)
  }
}

extension Aggregate: ExpressibleByArgument {}

enum DepthCriterion: String, CaseIterable, ExpressibleByArgument {
  case influence, angular, loss, perplexity, task

  var criterion: PruningPlan.Criterion {
    switch self {
    case .influence: .blockInfluence
    case .angular: .angularDistance
    case .loss: .loss
    case .perplexity: .perplexity
    case .task: .task
    }
  }
}
