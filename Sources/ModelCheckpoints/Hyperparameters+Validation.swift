internal import ModelArchitectures

extension Hyperparameters {
  /// No model comes near these; a file that claims more is damaged or hostile.
  static let layerLimit = 65_536
  static let sizeLimit = 1 << 31

  /// Sizes that follow from others when a file does not state them.
  mutating func fillDerived() throws {
    if keyValueHeadCount == 0 { keyValueHeadCount = queryHeadCount }
    guard headDimension == 0 else { return }
    guard queryHeadCount > 0, hiddenSize.isMultiple(of: queryHeadCount) else {
      throw CheckpointError(
        .invalidConfig,
        "hidden size \(hiddenSize) is not a multiple of \(queryHeadCount) heads and no head size is given")
    }
    headDimension = hiddenSize / queryHeadCount
  }

  func validate() throws {
    let sizes: [(String, Int)] = [
      ("hidden size", hiddenSize), ("intermediate size", intermediateSize), ("query heads", queryHeadCount),
      ("key-value heads", keyValueHeadCount), ("head size", headDimension), ("vocabulary size", vocabularySize),
    ]
    for (name, size) in sizes where size <= 0 || size > Self.sizeLimit {
      throw CheckpointError(.invalidConfig, "\(name) is \(size), expected 1 to \(Self.sizeLimit)")
    }
    guard layerCount >= 0, layerCount <= Self.layerLimit else {
      throw CheckpointError(.invalidConfig, "layer count is \(layerCount), expected at most \(Self.layerLimit)")
    }
    guard queryHeadCount.isMultiple(of: keyValueHeadCount) else {
      throw CheckpointError(
        .invalidConfig, "\(queryHeadCount) query heads do not share \(keyValueHeadCount) key-value heads evenly")
    }
    guard rotary.dimension > 0, rotary.dimension <= headDimension, rotary.dimension.isMultiple(of: 2) else {
      throw CheckpointError(
        .invalidConfig, "\(rotary.dimension) rotated channels, expected an even number up to \(headDimension)")
    }
    if let slidingWindow, slidingWindow <= 0 {
      throw CheckpointError(.invalidConfig, "sliding window is \(slidingWindow)")
    }
  }
}
