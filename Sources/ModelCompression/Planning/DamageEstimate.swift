internal import ModelArchitectures
internal import ModelCheckpoints

/// What a cut costs by statistics alone, to choose what is worth running: comparable between cuts of one model, and nothing else.
///
/// A layer that goes costs its block influence. A layer that stays costs, of its influence, the share of activation energy that its
/// dropped neurons and heads carried. A hidden channel that goes is missing everywhere, so the share of the norms' energy counts
/// for all layers together.
public struct DamageEstimate: Sendable {
  private let influence: [Double]
  private let costs: LayerCosts
  private let isContiguous: Bool
  /// `[layer][k]`: share of the energy that is lost when `k` neurons are kept.
  private let neurons: [[Double]]
  private let hidden: [Double]
  private let heads: [HeadEnergies]
  private let parent: ModelSizes

  /// How much energy weighs: of a feed-forward layer, of attention, of the residual stream. Chosen so that cuts of SmolLM2 to the same
  /// number of parameters come in the order of their loss on held-out text (Docs/Pruning.md, "Choosing sizes").
  static let weights = (neurons: 0.75, heads: 0.35, hidden: 2.0)

  public init(_ planner: Planner) {
    let statistics = planner.statistics
    let importance = planner.importance
    parent = ModelSizes(planner.model.hyperparameters)
    influence = statistics.influence.scores
    costs = planner.costs
    isContiguous = planner.isContiguous
    let headDimension = planner.model.hyperparameters.headDimension
    neurons = statistics.layers.enumerated().map { layer, sites in
      Self.lostShares(
        sites[.feedForwardInner]?.meanSquares ?? [], importance[ScopedAxis(.intermediate, layer: layer)] ?? [])
    }
    heads = statistics.layers.enumerated().map { layer, sites in
      HeadEnergies(
        sites[.attended]?.meanSquares ?? [], headDimension: headDimension,
        importance[ScopedAxis(.queryHead, layer: layer)] ?? [])
    }
    hidden = Self.lostShares(Self.normEnergy(statistics), importance[ScopedAxis(.hidden)] ?? [])
  }

  /// The cost of a cut to these sizes; infinite where layers were not measured.
  public func callAsFunction(_ sizes: ModelSizes) -> Double {
    guard let dropped = try? costs.cheapest(keeping: sizes.layers, isContiguous: isContiguous) else {
      return .infinity
    }
    let groups = sizes.keyValueHeads
    var sum = 0.0
    for layer in influence.indices {
      if dropped.contains(layer) {
        sum += influence[layer]
        continue
      }
      let lostNeurons = neurons[layer].isEmpty ? 0 : neurons[layer][sizes.intermediate]
      let lostHeads = heads[layer].lostShare(
        keeping: sizes.queryHeads / groups, of: parent.queryHeads / parent.keyValueHeads, groups: groups)
      sum += influence[layer] * (Self.weights.neurons * lostNeurons + Self.weights.heads * lostHeads)
    }
    let lostHidden = hidden.isEmpty ? 0 : hidden[sizes.hidden]
    return sum + Self.weights.hidden * lostHidden * influence.reduce(0, +)
  }

  /// `[k]`: share of `energy` outside the `k` of the highest scores.
  private static func lostShares(_ energy: [Double], _ scores: [Double]) -> [Double] {
    guard !energy.isEmpty, energy.count == scores.count else { return [] }
    let total = max(energy.reduce(0, +), .leastNormalMagnitude)
    var lost = 1.0
    return [1]
      + scores.indices.sorted { (scores[$0], -$0) > (scores[$1], -$1) }.map { index in
        lost -= energy[index] / total
        return max(lost, 0)
      }
  }

  /// Energy of each hidden channel behind the norms, each norm counting the same.
  private static func normEnergy(_ statistics: ActivationStatistics) -> [Double] {
    var sum: [Double] = []
    for sites in statistics.layers {
      for case let channels? in [sites[.attentionInput], sites[.feedForwardInput]] {
        let squares = channels.meanSquares
        let total = max(squares.reduce(0, +), .leastNormalMagnitude)
        sum = sum.isEmpty ? squares.map { $0 / total } : zip(sum, squares).map { $0 + $1 / total }
      }
    }
    return sum
  }
}

/// Energy of the heads of a layer.
private struct HeadEnergies: Sendable {
  private let energies: [Double]
  private let scores: [Double]

  init(_ channels: [Double], headDimension: Int, _ scores: [Double]) {
    energies = stride(from: 0, to: channels.count, by: max(headDimension, 1)).map { start in
      channels[start..<min(start + headDimension, channels.count)].reduce(0, +)
    }
    self.scores = scores
  }

  /// The share that is lost when the best `groups` groups keep their best `count` heads.
  func lostShare(keeping count: Int, of groupSize: Int, groups: Int) -> Double {
    guard !energies.isEmpty, energies.count == scores.count, count * groups < energies.count else { return 0 }
    let ranked = stride(from: 0, to: scores.count, by: groupSize).map { start in
      Array(start..<min(start + groupSize, scores.count)).sorted { (scores[$0], -$0) > (scores[$1], -$1) }
    }
    let best = ranked.sorted { a, b in a.reduce(0.0) { $0 + scores[$1] } > b.reduce(0.0) { $0 + scores[$1] } }
    let kept = best.prefix(groups).flatMap { $0.prefix(count) }.reduce(0.0) { $0 + energies[$1] }
    return max(0, 1 - kept / max(energies.reduce(0, +), .leastNormalMagnitude))
  }
}
