internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

/// What makes a plan, once its inputs are open.
struct PlanJob {
  /// What a plan depends on.
  struct Options {
    let sizes: SizeOptions
    let importance: ImportanceOptions
    let search: SearchOptions
    /// Candidates to print, and whether the model is run without the layers that each criterion would drop.
    var shownCount = 0
    var comparesDepth = false
    /// What will be written, and the tokens that cache and operations are counted for.
    let format: OutputFormat
    let context: Int
  }

  /// What candidates are run on, and what they are healed on; nil if there is none.
  struct Texts {
    let heldOut: CalibrationSet?
    let calibration: CalibrationSet?
  }

  let options: Options
  let model: Checkpoint
  let planner: Planner
  let questions: TaskSet?
  let texts: Texts
  let progress: ProgressLine

  init(
    _ options: Options, _ model: Checkpoint, _ statistics: ActivationStatistics, contentHash: ContentHash?,
    texts: Texts, _ progress: ProgressLine
  ) throws {
    self.options = options
    self.model = model
    self.progress = progress
    questions = try options.search.questions(for: model)
    self.texts = texts
    let costs = try Self.costs(options, model, statistics, questions, progress)
    var planner = Planner(
      for: model, by: statistics, costs: costs, isContiguous: options.importance.isContiguous,
      settings: options.importance.settings)
    planner.contentHash = contentHash
    self.planner = planner
  }

  private static func costs(
    _ options: Options, _ model: Checkpoint, _ statistics: ActivationStatistics, _ questions: TaskSet?,
    _ progress: ProgressLine
  ) throws -> LayerCosts {
    let criterion = options.importance.criterion(statistics)
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

  func report(output: String) throws -> PlanReport {
    let search = try options.sizes.goal.map { try candidates(for: $0) }
    let plan: PruningPlan
    if let search, let chosen = search.candidates.first(where: \.isChosen) {
      plan = try search.search.plan(for: chosen)
    } else {
      plan = try planner.plan(to: options.sizes.target(model.hyperparameters)) { _ in "given" }
    }
    let pruned = try model.pruned(by: plan)
    func footprint(_ checkpoint: Checkpoint) throws -> ModelFootprint {
      try ModelFootprint(
        ofWritten: options.format.outline(of: checkpoint), as: options.format, context: options.context)
    }
    return PlanReport(
      parent: PlanReport.Model(model, try footprint(model)), pruned: PlanReport.Model(pruned, try footprint(pruned)),
      plan: plan, depth: try comparison(plan), search: search?.found, shown: options.shownCount,
      output: output)
  }

  private func candidates(
    for goal: SizeGoal
  ) throws -> (search: CandidateSearch, candidates: [PlanCandidate], found: FoundCandidates) {
    let footprint = FootprintModel(of: model, as: options.format, context: options.context)
    let space = try options.sizes.space(model.hyperparameters, options.format)
    var search = CandidateSearch(planner, try SizeSolver(goal, in: space, footprint: footprint))
    search.runLimit = options.search.search
    search.progress = progress.handler
    search.healLimit = options.search.searchHeal ?? 0
    let candidates = try search.candidates(heldOut: texts.heldOut, questions: questions, heal: healing())
    let found = FoundCandidates(
      goal: "\(goal)", context: options.context, hiddenAlignment: space.hiddenAlignment,
      feedForwardAlignment: space.intermediateAlignment, candidates: candidates)
    return (search, candidates, found)
  }

  /// What makes a candidate better without training, if that is asked for.
  private func healing() -> CandidateSearch.Healing? {
    guard options.search.searchHeal != nil, let set = texts.calibration else { return nil }
    let parent = model
    return { pruned, plan in try pruned.replacing(Healer().heal(parent, plan: plan, on: set).overlay) }
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
    if options.comparesDepth, let heldOut = texts.heldOut {
      try comparison.measure(on: model, heldOut, progress: progress.handler)
    }
    return comparison
  }
}
