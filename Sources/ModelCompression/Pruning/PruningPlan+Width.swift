public import ModelArchitectures
internal import ModelCheckpoints

extension PruningPlan {
  /// Keeps what matters most by activation statistics, down to the sizes of a target: layers by block influence or as the best run,
  /// channels, neurons and heads by importance. Query heads are ranked within their group, so that every key-value head keeps as many.
  ///
  /// - Parameter criterion: how layers are chosen, `.blockInfluence` or `.angularDistance`.
  /// - Throws: `CompressionError.invalidPlan` for a size that the model cannot be cut to.
  public init(
    for sizes: Hyperparameters, to target: PruningTarget, by statistics: ActivationStatistics,
    criterion: Criterion = .blockInfluence, settings: Importance.Settings = Importance.Settings()
  ) throws {
    let layers = target.layers ?? sizes.layerCount
    switch criterion {
    case .blockInfluence: try self.init(keeping: layers, by: statistics.influence)
    case .angularDistance: try self.init(keeping: layers, without: statistics.angularDistances)
    case .explicit: throw CompressionError(.invalidPlan, "layers that somebody names are not chosen by statistics")
    }
    let importance = Importance(
      statistics, headDimension: sizes.headDimension, keyValueHeadCount: sizes.keyValueHeadCount, settings: settings)
    try keep(target.hidden, of: ScopedAxis(.hidden), size: sizes.hiddenSize, importance)
    for layer in keptLayers {
      try keep(
        target.intermediate, of: ScopedAxis(.intermediate, layer: layer), size: sizes.intermediateSize, importance)
      try keepHeads(target, layer, sizes, importance)
    }
  }

  /// Drops the run of layers over which the residual stream turns least (Gromov et al., arXiv 2403.17887); of equals, the first.
  private init(keeping count: Int, without distances: [[Double]]) throws {
    let layers = distances.count
    guard layers > 0, (1...layers).contains(count) else {
      throw CompressionError(.invalidPlan, "cannot keep \(count) of \(layers) layers")
    }
    let dropped = layers - count
    var kept = Array(0..<layers)
    if dropped > 0 {
      let starts = (0...layers - dropped).filter { distances[$0].count >= dropped }
      guard let first = starts.min(by: { distances[$0][dropped - 1] < distances[$1][dropped - 1] }),
        distances[first][dropped - 1].isFinite
      else { throw CompressionError(.invalidPlan, "the statistics have no distance over \(dropped) layers") }
      kept.removeSubrange(first..<first + dropped)
    }
    self.init(parentLayerCount: layers, keptLayers: kept, criterion: .angularDistance)
  }

  private mutating func keep(_ count: Int?, of axis: ScopedAxis, size: Int, _ importance: Importance) throws {
    guard let count, count != size else { return }
    guard let scores = importance[axis], (1..<size).contains(count) else {
      throw CompressionError(.invalidPlan, "cannot keep \(count) of \(size) indices of '\(axis)'")
    }
    keptIndices[axis] = Self.best(count, of: Array(scores.indices), scores)
  }

  private mutating func keepHeads(
    _ target: PruningTarget, _ layer: Int, _ sizes: Hyperparameters, _ importance: Importance
  ) throws {
    guard target.queryHeads != nil || target.keyValueHeads != nil else { return }
    let axis = ScopedAxis(.keyValueHead, layer: layer)
    try keep(target.keyValueHeads, of: axis, size: sizes.keyValueHeadCount, importance)
    let groups = keptIndices[axis] ?? Array(0..<sizes.keyValueHeadCount)
    let groupSize = sizes.queryHeadCount / sizes.keyValueHeadCount
    let heads = target.queryHeads ?? groups.count * groupSize
    let (keptPerGroup, rest) = heads.quotientAndRemainder(dividingBy: groups.count)
    guard rest == 0, (1...groupSize).contains(keptPerGroup),
      let scores = importance[ScopedAxis(.queryHead, layer: layer)]
    else {
      throw CompressionError(
        .invalidPlan,
        "cannot keep \(heads) query heads in \(groups.count) groups of \(groupSize), expected a multiple of \(groups.count)"
      )
    }
    let kept = groups.flatMap { group in
      Self.best(keptPerGroup, of: Array(group * groupSize..<(group + 1) * groupSize), scores)
    }
    if kept.count < sizes.queryHeadCount { keptIndices[ScopedAxis(.queryHead, layer: layer)] = kept }
  }

  /// The `count` candidates of the highest scores, ascending; of equals, the earlier.
  private static func best(_ count: Int, of candidates: [Int], _ scores: [Double]) -> [Int] {
    let ranked = candidates.sorted { (scores[$0], -$0) > (scores[$1], -$1) }
    return ranked.prefix(count).sorted()
  }
}
