public import ModelCheckpoints

/// Ranks sizes that meet a goal: all by an estimate from statistics, the best of them by running the model.
public struct CandidateSearch: Sendable {
  public let planner: Planner
  public let solver: SizeSolver
  /// Candidates that are run.
  public var runLimit = 16
  /// Of them, those that are healed.
  public var healLimit = 4
  public var tolerance = 0.05
  public var progress: WorkProgress.Handler = { _ in }

  /// Makes a pruned model better before it is judged, as `Healer` does.
  public typealias Healing = @Sendable (_ pruned: Checkpoint, _ plan: PruningPlan) throws -> Checkpoint

  public init(_ planner: Planner, _ solver: SizeSolver) {
    self.planner = planner
    self.solver = solver
  }

  /// All candidates, best first; the best that meets the goal is marked as chosen.
  ///
  /// - Parameters:
  ///   - heldOut: text that the best are run on; nil ranks by the estimate alone.
  ///   - questions: a task that ranks before the loss does.
  ///   - heal: the best so far are judged after it, too.
  /// - Throws: `CompressionError.invalidPlan` if no sizes meet the goal, and what the forward pass throws.
  public func candidates(
    heldOut: CalibrationSet? = nil, questions: TaskSet? = nil, heal: Healing? = nil
  ) throws -> [PlanCandidate] {
    let estimate = DamageEstimate(planner)
    let estimated = try solver.solutions(tolerance: tolerance)
      .map { PlanCandidate($0, estimate: estimate($0.sizes)) }
      .sorted { $0.isBetter(than: $1) }
    let (first, rest) = Self.chosenToRun(estimated, limit: heldOut == nil && questions == nil ? 0 : runLimit)
    var run = try each(first, "running candidates") { candidate in
      var candidate = candidate
      try judge(&candidate, planner.model.pruned(by: plan(for: candidate)), heldOut, questions, \.loss)
      return candidate
    }
    run.sort { $0.isBetter(than: $1) }
    if let heal {
      let healed = try each(Array(run.prefix(healLimit)), "healing candidates") { candidate in
        var candidate = candidate
        let plan = try plan(for: candidate)
        try judge(&candidate, heal(planner.model.pruned(by: plan), plan), heldOut, questions, \.healedLoss)
        return candidate
      }
      run = (healed + run.dropFirst(healLimit)).sorted { $0.isBetter(than: $1) }
    }
    var result = run + rest
    guard let chosen = try result.firstIndex(where: meetsGoal) else {
      throw CompressionError(.invalidPlan, "no candidate meets \(solver.goal) once it is cut")
    }
    result[chosen].isChosen = true
    return result
  }

  /// Solutions count the layers of a parent of mixed formats as equally large; what is cut is measured.
  private func meetsGoal(_ candidate: PlanCandidate) throws -> Bool {
    let output = solver.footprint.output
    let written = try output.outline(of: planner.model.pruned(by: plan(for: candidate)))
    return solver.accepts(
      try ModelFootprint(ofWritten: written, as: output, context: solver.footprint.context))
  }

  /// The plan for a candidate.
  public func plan(for candidate: PlanCandidate) throws -> PruningPlan {
    let parent = ModelSizes(planner.model.hyperparameters)
    var target = candidate.sizes.target
    if candidate.sizes.layers == parent.layers { target.layers = nil }
    return try planner.plan(to: target) { _ in "\(solver.goal)" }
  }

  /// The best by estimate for each number of layers, and of the others the best. So cuts that the estimate judges wrongly against
  /// each other all get their chance.
  private static func chosenToRun(
    _ candidates: [PlanCandidate], limit: Int
  ) -> (run: [PlanCandidate], rest: [PlanCandidate]) {
    var seen: Set<Int> = []
    let isFirst = candidates.map { seen.insert($0.sizes.layers).inserted }
    let order = candidates.indices.filter { isFirst[$0] } + candidates.indices.filter { !isFirst[$0] }
    let run = Set(order.prefix(limit))
    return (
      candidates.indices.filter(run.contains).map { candidates[$0] },
      candidates.indices.filter { !run.contains($0) }.map { candidates[$0] }
    )
  }

  private func each(
    _ candidates: [PlanCandidate], _ phase: String, _ body: (PlanCandidate) throws -> PlanCandidate
  ) throws -> [PlanCandidate] {
    try candidates.enumerated().map { index, candidate in
      try Task.checkCancellation()
      progress(WorkProgress(phase: phase, completed: index, total: candidates.count, unit: .blocks))
      return try body(candidate)
    }
  }

  /// Runs a model of a candidate's sizes.
  private func judge(
    _ candidate: inout PlanCandidate, _ model: Checkpoint, _ heldOut: CalibrationSet?, _ questions: TaskSet?,
    _ loss: WritableKeyPath<PlanCandidate, Double?>
  ) throws {
    if let heldOut { candidate[keyPath: loss] = try Perplexity(of: model, on: heldOut).meanLoss }
    if let questions { candidate.taskScore = try TaskResult(of: model, on: questions).rightShare }
  }
}
