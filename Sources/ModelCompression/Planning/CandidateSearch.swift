public import ModelCheckpoints

/// Ranks sizes that meet a goal: all by an estimate from statistics, the best of them by running the model.
public struct CandidateSearch: Sendable {
  public let planner: Planner
  public let solver: SizeSolver
  /// Candidates that are run.
  public var runLimit = 16
  public var tolerance = 0.05
  public var progress: WorkProgress.Handler = { _ in }

  /// Changes a pruned model before it is judged, as healing does.
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
  ///   - heal: judges candidates after it, too.
  /// - Throws: `CompressionError.invalidPlan` if no sizes meet the goal, and what the forward pass throws.
  public func candidates(
    heldOut: CalibrationSet? = nil, questions: TaskSet? = nil, heal: Healing? = nil
  ) throws -> [PlanCandidate] {
    let estimate = DamageEstimate(planner)
    let estimated = try solver.solutions(tolerance: tolerance)
      .map { PlanCandidate($0, estimate: estimate($0.sizes)) }
      .sorted { $0.isBetter(than: $1) }
    let (first, rest) = Self.chosenToRun(estimated, limit: heldOut == nil && questions == nil ? 0 : runLimit)
    var run: [PlanCandidate] = []
    for (index, candidate) in first.enumerated() {
      progress(WorkProgress(phase: "running candidates", completed: index, total: first.count, unit: .blocks))
      run.append(try judged(candidate, heldOut, questions, heal))
    }
    var result = run.sorted { $0.isBetter(than: $1) } + rest
    guard let chosen = try result.firstIndex(where: meetsGoal) else {
      throw CompressionError(.invalidPlan, "no candidate meets \(solver.goal) once it is cut")
    }
    result[chosen].isChosen = true
    return result
  }

  /// Solutions count the layers of a parent of mixed formats as equally large; what is cut is measured.
  private func meetsGoal(_ candidate: PlanCandidate) throws -> Bool {
    let output = solver.footprint.output
    let written = try output.applied(to: planner.model.pruned(by: plan(for: candidate)))
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

  private func judged(
    _ candidate: PlanCandidate, _ heldOut: CalibrationSet?, _ questions: TaskSet?, _ heal: Healing?
  ) throws -> PlanCandidate {
    var candidate = candidate
    let plan = try plan(for: candidate)
    let pruned = try planner.model.pruned(by: plan)
    let healed = try heal?(pruned, plan)
    if let heldOut {
      candidate.loss = try Perplexity(of: pruned, on: heldOut).meanLoss
      candidate.healedLoss = try healed.map { try Perplexity(of: $0, on: heldOut).meanLoss }
    }
    if let questions { candidate.taskScore = try TaskResult(of: healed ?? pruned, on: questions).rightShare }
    return candidate
  }
}
