#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// What it costs to drop layers, by one criterion: of every layer, and of every run of neighbours that was measured. The less, the
/// sooner they go.
public struct LayerCosts: Sendable, Equatable {
  public let criterion: PruningPlan.Criterion
  /// `[i][n − 1]`: the cost of the `n` layers from `i` on; not finite if it was not measured.
  public let runs: [[Double]]

  public var layerCount: Int { runs.count }

  public init(_ criterion: PruningPlan.Criterion, runs: [[Double]]) {
    self.criterion = criterion
    self.runs = runs
  }

  /// The cost of a run; nil if it was not measured.
  public subscript(first: Int, count: Int) -> Double? {
    guard runs.indices.contains(first), runs[first].indices.contains(count - 1) else { return nil }
    let cost = runs[first][count - 1]
    return cost.isFinite ? cost : nil
  }

  /// The cost of every layer on its own; nil if one was not measured.
  public var singles: [Double]? {
    let costs = runs.indices.compactMap { self[$0, 1] }
    return costs.count == layerCount ? costs : nil
  }

  /// The layers that cost least; of equal layers the later go, of equal runs the first.
  ///
  /// - Parameter isContiguous: whether they must be neighbours. Then the run as a whole is what is compared; otherwise each layer
  ///   counts by itself, as if the others stayed.
  /// - Returns: ascending.
  /// - Throws: `CompressionError.invalidPlan` for a count that leaves no layer, or that nothing was measured for.
  public func cheapest(_ count: Int, isContiguous: Bool) throws -> [Int] {
    guard (0..<max(layerCount, 1)).contains(count), layerCount > 0 else {
      throw CompressionError(.invalidPlan, "cannot drop \(count) of \(layerCount) layers")
    }
    guard count > 0 else { return [] }
    return isContiguous ? Array(try cheapestRun(count)) : try cheapestLayers(count)
  }

  /// As `cheapest`, by the number of layers that stay.
  func cheapest(keeping kept: Int, isContiguous: Bool) throws -> [Int] {
    guard (1...max(layerCount, 1)).contains(kept), layerCount > 0 else {
      throw CompressionError(.invalidPlan, "cannot keep \(kept) of \(layerCount) layers")
    }
    return try cheapest(layerCount - kept, isContiguous: isContiguous)
  }

  private func cheapestRun(_ count: Int) throws -> Range<Int> {
    let starts = (0...layerCount - count).filter { self[$0, count] != nil }
    guard let first = starts.min(by: { self[$0, count]! < self[$1, count]! }) else {
      throw CompressionError(
        .invalidPlan, "the \(criterion.noun) over runs of \(count) layers was not measured\(criterion.remedy(count))")
    }
    return first..<first + count
  }

  private func cheapestLayers(_ count: Int) throws -> [Int] {
    guard let costs = singles else {
      if let layer = runs.indices.first(where: { runs[$0].first?.isFinite == false }), criterion == .blockInfluence {
        throw CompressionError(
          .invalidPlan, "layer \(layer) has the influence \(runs[layer][0]): nothing can be ranked")
      }
      throw CompressionError(
        .invalidPlan, "the \(criterion.noun) of every layer was not measured\(criterion.remedy(1))")
    }
    let ranked = costs.indices.sorted { (costs[$0], -$0) < (costs[$1], -$1) }
    return ranked.prefix(count).sorted()
  }
}

extension PruningPlan.Criterion {
  fileprivate var noun: String {
    switch self {
    case .blockInfluence: "block influence"
    case .angularDistance: "angular distance"
    case .loss: "loss"
    case .perplexity: "perplexity"
    case .task: "task score"
    case .explicit: "cost"
    }
  }

  fileprivate func remedy(_ count: Int) -> String {
    self == .loss || self == .perplexity ? "; calibrate measures it with --layer-loss \(count)" : ""
  }
}

extension LayerCosts {
  /// The costs by a criterion that calibration measures.
  ///
  /// - Throws: `CompressionError.invalidPlan` for one that it does not, or did not.
  public init(_ criterion: PruningPlan.Criterion, from statistics: ActivationStatistics) throws {
    switch criterion {
    case .blockInfluence: self.init(statistics.influence)
    case .angularDistance: self.init(criterion, runs: statistics.angularDistances)
    case .loss, .perplexity:
      guard let losses = statistics.layerLosses else {
        throw CompressionError(
          .invalidPlan, "the statistics have no \(criterion.noun) without layers\(criterion.remedy(1))")
      }
      self.init(criterion, runs: Self.increases(losses, layerCount: statistics.layers.count, criterion))
    case .task, .explicit:
      throw CompressionError(.invalidPlan, "statistics do not say what layers cost by \(criterion.noun)")
    }
  }

  /// What the loss rises by.
  public init(_ losses: LayerLosses, layerCount: Int) {
    self.init(.loss, runs: Self.increases(losses, layerCount: layerCount, .loss))
  }

  public init(_ influence: BlockInfluence) {
    self.init(.blockInfluence, runs: Self.sums(influence.scores))
  }

  /// A run costs the sum of its layers.
  private static func sums(_ costs: [Double]) -> [[Double]] {
    costs.indices.map { first in
      var sum = 0.0
      return costs[first...].map { cost in
        sum += cost
        return sum
      }
    }
  }

  private static func increases(
    _ losses: LayerLosses, layerCount: Int, _ criterion: PruningPlan.Criterion
  ) -> [[Double]] {
    func cost(_ loss: Double) -> Double {
      criterion == .perplexity ? exp(loss) - exp(losses.baseline) : loss - losses.baseline
    }
    return (0..<layerCount).map { first in
      (1...layerCount - first).map { count in losses[first: first, count: count].map(cost) ?? .nan }
    }
  }
}
