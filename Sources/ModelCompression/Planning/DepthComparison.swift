internal import ModelArchitectures
public import ModelCheckpoints

/// Which layers each criterion would drop, scattered and as a run.
public struct DepthComparison: Sendable, Codable, Equatable {
  public var choices: [Choice]

  public struct Choice: Sendable, Codable, Equatable {
    public let criterion: PruningPlan.Criterion
    public let isContiguous: Bool
    public let dropped: [Int]
    /// What the criterion says of the choice: the cost of the run, or of scattered layers the sum of their costs.
    public let cost: Double
    /// How many of them the chosen plan drops as well.
    public var sharedWithPlan: Int
    /// Loss of the model without these layers on held-out text, in nats a token; nil if it was not measured.
    public var loss: Double?
  }

  /// - Parameter count: layers to drop.
  public init(dropping count: Int, of costs: [LayerCosts], chosen: [Int]) {
    choices = costs.flatMap { costs in
      [false, true].compactMap { isContiguous in
        guard count > 0, let dropped = try? costs.cheapest(count, isContiguous: isContiguous) else { return nil }
        let cost = isContiguous ? costs[dropped[0], count]! : dropped.reduce(0.0) { $0 + costs[$1, 1]! }
        return Choice(
          criterion: costs.criterion, isContiguous: isContiguous, dropped: dropped, cost: cost,
          sharedWithPlan: Set(dropped).intersection(chosen).count, loss: nil)
      }
    }
  }

  /// The distinct sets of layers, each once.
  public var distinct: [[Int]] {
    var seen: Set<[Int]> = []
    return choices.map(\.dropped).filter { seen.insert($0).inserted }
  }
}

extension DepthComparison {
  /// Runs the model without each distinct set of layers on held-out text.
  public mutating func measure(
    on model: Checkpoint, _ heldOut: CalibrationSet, progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    let sets = distinct
    for (index, dropped) in sets.enumerated() {
      progress(WorkProgress(phase: "comparing layers", completed: index, total: sets.count, unit: .blocks))
      let kept = (0..<model.hyperparameters.layerCount).filter { !dropped.contains($0) }
      let loss = try Perplexity(of: model.keeping(layers: kept), on: heldOut).meanLoss
      for choice in choices.indices where choices[choice].dropped == dropped { choices[choice].loss = loss }
    }
  }
}
