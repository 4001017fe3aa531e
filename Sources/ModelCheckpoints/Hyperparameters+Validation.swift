internal import ModelArchitectures

extension Hyperparameters {
  /// No model comes near these; a file that claims more is damaged or hostile.
  static let layerLimit = 65_536
  static let headLimit = 65_536
  static let sizeLimit = 1 << 31

  /// Whether a size follows from others where a file does not state it.
  static func isDerivable(_ path: PartialKeyPath<Hyperparameters>) -> Bool {
    path == \Self.keyValueHeadCount || path == \Self.headDimension
  }

  /// Fills in the derivable sizes that are 0.
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

  /// Checks every number on its own, then those that must fit together.
  ///
  /// `name` gives the words for a hyperparameter in the file that it was read from.
  func validate(_ name: (PartialKeyPath<Hyperparameters>) -> String) throws {
    func check(_ path: KeyPath<Hyperparameters, Int>, _ range: ClosedRange<Int>) throws {
      let value = self[keyPath: path]
      guard !range.contains(value) else { return }
      throw CheckpointError(
        .invalidConfig, "\(name(path)) is \(value), expected \(range.lowerBound) to \(range.upperBound)")
    }
    try check(\.layerCount, 0...Self.layerLimit)
    for path in [\Self.hiddenSize, \.intermediateSize, \.vocabularySize, \.contextLength] {
      try check(path, 1...Self.sizeLimit)
    }
    for path in [\Self.queryHeadCount, \.keyValueHeadCount, \.headDimension] { try check(path, 1...Self.headLimit) }
    if let slidingWindow, !(1...Self.sizeLimit).contains(slidingWindow) {
      throw CheckpointError(
        .invalidConfig, "\(name(\Self.slidingWindow)) is \(slidingWindow), expected 1 to \(Self.sizeLimit)")
    }
    guard normEpsilon >= 0 else {
      throw CheckpointError(.invalidConfig, "\(name(\Self.normEpsilon)) is \(normEpsilon), expected 0 or more")
    }
    for path in [\Self.queryScalar, \.attentionSoftcap, \.logitSoftcap] {
      guard let value = self[keyPath: path], value <= 0 else { continue }
      throw CheckpointError(.invalidConfig, "\(name(path)) is \(value), expected more than 0")
    }
    guard queryHeadCount.isMultiple(of: keyValueHeadCount) else {
      throw CheckpointError(
        .invalidConfig,
        "\(name(\Self.keyValueHeadCount)) is \(keyValueHeadCount), expected a divisor of \(queryHeadCount) query heads")
    }
  }

  func validateRotary() throws {
    guard rotary.dimension > 0, rotary.dimension <= headDimension, rotary.dimension.isMultiple(of: 2) else {
      throw CheckpointError(
        .invalidConfig, "\(rotary.dimension) rotated channels, expected an even number up to \(headDimension)")
    }
  }
}
