internal import ModelArchitectures
internal import ModelCheckpoints

/// Finds the sizes at which a model meets a goal.
public struct SizeSolver: Sendable {
  public let space: SizeSpace
  public let footprint: FootprintModel
  public let goal: SizeGoal
  private let limit: Int
  private let parent: Hyperparameters

  /// Sizes that meet a goal, and what a model of them costs.
  public struct Solution: Sendable, Equatable {
    public let sizes: ModelSizes
    public let footprint: ModelFootprint
  }

  public init(_ goal: SizeGoal, in space: SizeSpace, footprint: FootprintModel) throws {
    self.goal = goal
    self.space = space
    self.footprint = footprint
    parent = footprint.parent.hyperparameters
    limit = goal.limit(for: try footprint(parent))
  }

  /// Whether a model that is written meets the goal.
  public func accepts(_ footprint: ModelFootprint) -> Bool { goal.measure(footprint) <= limit }

  /// All sizes that meet the goal and would miss it if any was larger, within `tolerance` below the goal; if there are none so
  /// near, the nearest.
  ///
  /// The finest axis that may be cut (feed-forward, then hidden) is solved for each combination of the others.
  ///
  /// - Throws: `CompressionError.invalidPlan` if no size in the space meets the goal.
  public func solutions(tolerance: Double = 0.05) throws -> [Solution] {
    var found: [Solution] = []
    for combination in combinations {
      if let solution = try largest(combination) { found.append(solution) }
    }
    guard !found.isEmpty else { throw try unreachable() }
    let near = found.filter { Double(goal.measure($0.footprint)) >= Double(limit) * (1 - tolerance) }
    let best = found.max { goal.measure($0.footprint) < goal.measure($1.footprint) }!
    return Self.outermost(near.isEmpty ? [best] : near)
  }

  /// Every combination of sizes but the one that is solved for, which stands at its largest.
  private var combinations: [ModelSizes] {
    var result: [ModelSizes] = []
    var sizes = ModelSizes(parent)
    for layers in space.layers {
      for hidden in solvesHidden ? [space.hidden[0]] : space.hidden {
        for keyValueHeads in space.keyValueHeads {
          for groupSize in space.groupSizes {
            sizes.layers = layers
            sizes.hidden = hidden
            sizes.keyValueHeads = keyValueHeads
            sizes.queryHeads = groupSize * keyValueHeads
            sizes.intermediate = space.intermediate[0]
            result.append(sizes)
          }
        }
      }
    }
    return result
  }

  private var solvesHidden: Bool { space.intermediate.count == 1 }

  /// The largest value of the finest axis that meets the goal, by bisection: what it costs grows with it.
  private func largest(_ sizes: ModelSizes) throws -> Solution? {
    let values = solvesHidden ? space.hidden : space.intermediate
    func solution(_ index: Int) throws -> Solution {
      var sizes = sizes
      if solvesHidden { sizes.hidden = values[index] } else { sizes.intermediate = values[index] }
      return Solution(sizes: sizes, footprint: try footprint(sizes.hyperparameters(like: parent)))
    }
    var (low, high) = (0, values.count)
    while low < high {
      let middle = (low + high) / 2
      if accepts(try solution(middle).footprint) { high = middle } else { low = middle + 1 }
    }
    return low < values.count ? try solution(low) : nil
  }

  /// Without those that fit inside another: they lose more and gain nothing.
  private static func outermost(_ solutions: [Solution]) -> [Solution] {
    solutions.filter { solution in !solutions.contains { solution.sizes.isInside($0.sizes) } }
  }

  private func unreachable() throws -> CompressionError {
    var sizes = ModelSizes(parent)
    sizes.layers = space.layers.last!
    sizes.hidden = space.hidden.last!
    sizes.intermediate = space.intermediate.last!
    sizes.keyValueHeads = space.keyValueHeads.last!
    sizes.queryHeads = space.groupSizes.last! * sizes.keyValueHeads
    let smallest = goal.measure(try footprint(sizes.hyperparameters(like: parent)))
    return CompressionError(
      .invalidPlan,
      "no model meets \(goal)\(goal.bound(limit)): the smallest within the limits (\(sizes.name)) has \(smallest);"
        + " let more axes be cut, or more of them")
  }
}
