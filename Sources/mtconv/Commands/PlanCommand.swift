internal import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Choose layers, channels, neurons and heads to keep, from calibration statistics.",
    discussion: """
      Sizes are given, or follow from a goal: then all that meet it are listed, and the best of them are run on --heldout text without \
      being written. Layers are ranked by block influence, or as --depth-by and --contiguous say; hidden channels, neurons and heads by \
      the activations that calibrate measured, query heads within their group. The plan is JSON to read, edit and give to \
      compress --plan.

      Examples:
        mtconv calibrate model/ --text text.txt -o stats.safetensors
        mtconv plan model/ --stats stats.safetensors --ffn 1152 --drop-layers 4 -o plan.json
        mtconv plan model/ --stats stats.safetensors --params 75% --heldout other.txt -o plan.json
        mtconv plan model/ --stats stats.safetensors --fits 6GiB@8192 --fp8 -o plan.json
        mtconv compress model/ small/ --plan plan.json --heldout other.txt
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @Option(name: .long, help: ArgumentHelp("Statistics that calibrate wrote.", valueName: "file"), completion: .file())
  var stats: String

  @Option(
    name: [.short, .customLong("output")], help: ArgumentHelp("The JSON file to write.", valueName: "file"),
    completion: .file())
  var outputFile: String

  @Flag(name: .long, help: "Replace output files if they exist.")
  var force = false

  @OptionGroup(title: "Sizes") var sizes: SizeOptions
  @OptionGroup(title: "What matters") var importance: ImportanceOptions
  @OptionGroup(title: "What is written") var format: FormatOptions
  @OptionGroup(title: "Candidates") var search: SearchOptions
  @OptionGroup(title: "Text") var sequences: TextOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if search.candidates != nil, sizes.goal == nil {
      throw ValidationError("--candidates needs a goal: --params, --bytes, --fits or --speedup")
    }
    if importance.depthBy == .task, search.task == nil {
      throw ValidationError("--depth-by task needs --task and --task-data")
    }
  }

  func run() throws {
    for path in [outputFile, search.candidates].compactMap({ $0 }) {
      try FileError.refuseExisting(path, unless: force)
    }
    let checkpoint = try Checkpoint(path: model)
    let file = try StatisticsFile(path: stats)
    try file.check(against: checkpoint)
    let progress = output.progress
    let job = try PlanJob(self, checkpoint, file.statistics, progress)
    let report = try job.report()
    progress.finish()
    try write(JSON(encoding: report.plan), to: outputFile)
    if let path = search.candidates, let found = report.search { try write(JSON(encoding: found), to: path) }
    try report.print(asJSON: output.json)
  }

  private func write(_ json: JSON, to path: String) throws {
    let file = try OutputFile(path: path, overwrite: force)
    try file.write(json.serializedBytes(.indented) + [0x0A])
    try file.commit()
  }
}

/// What `plan` does once its inputs are open.
private struct PlanJob {
  let options: PlanCommand
  let model: Checkpoint
  let planner: Planner
  let questions: TaskSet?
  let heldOut: CalibrationSet?
  let progress: ProgressLine

  init(
    _ options: PlanCommand, _ model: Checkpoint, _ statistics: ActivationStatistics, _ progress: ProgressLine
  ) throws {
    self.options = options
    self.model = model
    self.progress = progress
    questions = try options.search.questions(for: model)
    heldOut = try options.search.heldOutSet(options.sequences, model)
    let costs = try Self.costs(options, model, statistics, questions, progress)
    planner = Planner(
      for: model, by: statistics, costs: costs, isContiguous: options.importance.isContiguous,
      settings: options.importance.settings)
  }

  private static func costs(
    _ options: PlanCommand, _ model: Checkpoint, _ statistics: ActivationStatistics, _ questions: TaskSet?,
    _ progress: ProgressLine
  ) throws -> LayerCosts {
    let criterion = options.importance.criterion
    guard criterion == .task, let questions else { return try LayerCosts(criterion, from: statistics) }
    let count = model.hyperparameters.layerCount
    var lengths: Set<Int> = [1]
    if options.importance.isContiguous {
      if let kept = options.sizes.target(model.hyperparameters).layers {
        lengths.insert(count - kept)
      } else if options.sizes.goal != nil {
        lengths.formUnion(1...max(1, Int(Double(count) * options.sizes.maxDepth)))
      }
    }
    return try LayerCosts(of: model, on: questions, lengths: lengths, progress: progress.handler)
  }

  func report() throws -> PlanReport {
    let search = try options.sizes.goal.map { try candidates(for: $0) }
    let plan: PruningPlan
    if let search, let chosen = search.candidates.first(where: \.isChosen) {
      plan = try search.search.plan(for: chosen)
    } else {
      plan = try planner.plan(to: options.sizes.target(model.hyperparameters)) { _ in "given" }
    }
    let pruned = try model.pruned(by: plan)
    let context = options.format.context(options.sizes.goal, model)
    func footprint(_ checkpoint: Checkpoint) throws -> ModelFootprint {
      try ModelFootprint(
        ofWritten: options.format.output.applied(to: checkpoint), as: options.format.output, context: context)
    }
    return PlanReport(
      parent: PlanReport.Model(model, try footprint(model)), pruned: PlanReport.Model(pruned, try footprint(pruned)),
      plan: plan, depth: try comparison(plan), search: search?.found, shown: options.search.top,
      output: options.outputFile)
  }

  private func candidates(
    for goal: SizeGoal
  ) throws -> (search: CandidateSearch, candidates: [PlanCandidate], found: FoundCandidates) {
    let context = options.format.context(goal, model)
    let footprint = FootprintModel(of: model, as: options.format.output, context: context)
    let space = try options.sizes.space(model.hyperparameters, options.format.output)
    var search = CandidateSearch(planner, try SizeSolver(goal, in: space, footprint: footprint))
    search.runLimit = options.search.search
    search.progress = progress.handler
    search.healLimit = options.search.searchHeal ?? 0
    let candidates = try search.candidates(heldOut: heldOut, questions: questions, heal: try healing())
    let found = FoundCandidates(
      goal: "\(goal)", context: context, hiddenAlignment: space.hiddenAlignment,
      feedForwardAlignment: space.intermediateAlignment, candidates: candidates)
    return (search, candidates, found)
  }

  /// What makes a candidate better without training, if that is asked for.
  private func healing() throws -> CandidateSearch.Healing? {
    try options.search.calibrationSet(options.sequences, model).map { set in
      let parent = model
      return { pruned, plan in try pruned.replacing(Healer().heal(parent, plan: plan, on: set).overlay) }
    }
  }

  /// What each criterion would drop, if layers go.
  private func comparison(_ plan: PruningPlan) throws -> DepthComparison? {
    let count = plan.droppedLayers.count
    guard count > 0 else { return nil }
    let statistics = planner.statistics
    var costs = [PruningPlan.Criterion.blockInfluence, .angularDistance, .loss].compactMap {
      try? LayerCosts($0, from: statistics)
    }
    if planner.costs.criterion == .task { costs.append(planner.costs) }
    var comparison = DepthComparison(dropping: count, of: costs, chosen: plan.droppedLayers)
    if options.search.compareDepth, let heldOut {
      try comparison.measure(on: model, heldOut, progress: progress.handler)
    }
    return comparison
  }
}
