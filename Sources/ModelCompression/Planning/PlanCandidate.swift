/// Sizes that meet a goal, what a model of them costs, and how good it is.
public struct PlanCandidate: Sendable, Codable, Equatable {
  public let name: String
  public let sizes: ModelSizes
  public let parameters: Int
  /// Bytes of all tensors as they are written.
  public let bytes: Int
  /// Operations for one token of a prompt of `context` tokens, on average.
  public let flops: Int
  /// Bytes of the key-value cache at `context`.
  public let kvBytes: Int
  public let context: Int
  /// What statistics expect it to cost; comparable within one search.
  public let estimate: Double
  /// On held-out text, in nats a token; nil if it was not run.
  public var loss: Double?
  /// The same after healing without training; nil if it was not healed.
  public var healedLoss: Double?
  /// The share of right answers in the task that candidates are ranked by; nil if there is none.
  public var taskScore: Double?
  public var isChosen = false

  init(_ solution: SizeSolver.Solution, estimate: Double) {
    name = solution.sizes.name
    sizes = solution.sizes
    let footprint = solution.footprint
    parameters = footprint.parameters
    bytes = footprint.weightBytes
    flops = footprint.prefillOperations
    kvBytes = footprint.cacheBytes
    context = footprint.context
    self.estimate = estimate
  }

  /// What candidates are ordered by, best first: the task, then the loss after healing, then before, then the estimate. One that got
  /// further comes before all that did not.
  func isBetter(than other: PlanCandidate) -> Bool {
    if taskScore != other.taskScore { return taskScore ?? -.infinity > other.taskScore ?? -.infinity }
    if healedLoss != other.healedLoss { return healedLoss ?? .infinity < other.healedLoss ?? .infinity }
    if loss != other.loss { return loss ?? .infinity < other.loss ?? .infinity }
    return estimate < other.estimate
  }
}
