public import ModelArchitectures

extension PruningPlan {
  /// Keeps what matters most by activation statistics, down to the sizes of a target: layers by block influence or as the run over
  /// which the stream turns least, channels, neurons and heads by importance.
  ///
  /// - Parameter criterion: how layers are chosen: `.angularDistance` drops a run of neighbours, the others single layers.
  /// - Throws: `CompressionError.invalidPlan` for a size that the model cannot be cut to.
  public init(
    for sizes: Hyperparameters, to target: PruningTarget, by statistics: ActivationStatistics,
    criterion: Criterion = .blockInfluence, settings: Importance.Settings = Importance.Settings()
  ) throws {
    let importance = Importance(
      statistics, headDimension: sizes.headDimension, keyValueHeadCount: sizes.keyValueHeadCount, settings: settings)
    try self.init(
      for: sizes, to: target, costs: LayerCosts(criterion, from: statistics),
      isContiguous: criterion == .angularDistance, importance)
  }

  /// Drops the layers that cost least, and keeps the most important indices of each axis in those that stay. Query heads are ranked
  /// within their group, so that every key-value head keeps as many.
  ///
  /// - Parameter isContiguous: whether the layers that go are neighbours.
  /// - Throws: `CompressionError.invalidPlan` for a size that the model cannot be cut to.
  public init(
    for sizes: Hyperparameters, to target: PruningTarget, costs: LayerCosts, isContiguous: Bool,
    _ importance: Importance
  ) throws {
    try self.init(keeping: target.layers ?? sizes.layerCount, by: costs, isContiguous: isContiguous)
    try keep(target.hidden, of: ScopedAxis(.hidden), size: sizes.hiddenSize, importance)
    for layer in keptLayers {
      try keep(
        target.intermediate, of: ScopedAxis(.intermediate, layer: layer), size: sizes.intermediateSize, importance)
      try keepHeads(target, layer, sizes, importance)
    }
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
