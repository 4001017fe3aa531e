public import ModelArchitectures
public import ModelCheckpoints
internal import TensorFormats

/// Which layers of a model are kept, which indices of its axes, and why. Can be printed, saved, edited and applied again.
public struct PruningPlan: Sendable, Codable, Equatable {
  /// Layers of the model that the plan is for.
  public var parentLayerCount: Int
  /// Kept layers by their original number, ascending.
  public var keptLayers: [Int]
  /// Kept indices of each axis that is cut, ascending; layers by their original number. Axes that are not named are kept whole.
  public var keptIndices: [ScopedAxis: [Int]] = [:]
  /// What the choice of layers was made by.
  public var criterion: Criterion
  /// The score of every layer of the parent; the higher, the more it matters.
  public var scores: [Double]?

  public enum Criterion: String, Sendable, Codable {
    case blockInfluence
    /// The run of neighbouring layers that turns the residual stream least goes as a whole.
    case angularDistance
    /// Somebody named the layers.
    case explicit
  }

  public init(parentLayerCount: Int, keptLayers: [Int], criterion: Criterion, scores: [Double]? = nil) {
    self.parentLayerCount = parentLayerCount
    self.keptLayers = keptLayers
    self.criterion = criterion
    self.scores = scores
  }

  public var droppedLayers: [Int] { (0..<parentLayerCount).filter { !keptLayers.contains($0) } }

  /// Keeps the `count` layers of the highest influence; of equals, the earlier.
  public init(keeping count: Int, by influence: BlockInfluence) throws {
    let layers = influence.scores.count
    guard (1...max(layers, 1)).contains(count), layers > 0 else {
      throw CompressionError(.invalidPlan, "cannot keep \(count) of \(layers) layers")
    }
    if let layer = influence.scores.firstIndex(where: { !$0.isFinite }) {
      throw CompressionError(
        .invalidPlan, "layer \(layer) has the influence \(influence.scores[layer]): nothing can be ranked")
    }
    let ranked = (0..<layers).sorted {
      (influence.scores[$0], -$0) > (influence.scores[$1], -$1)
    }
    self.init(
      parentLayerCount: layers, keptLayers: ranked.prefix(count).sorted(), criterion: .blockInfluence,
      scores: influence.scores)
  }

  func validate(for model: Checkpoint) throws {
    let layers = model.hyperparameters.layerCount
    guard parentLayerCount == layers else {
      throw CompressionError(.invalidPlan, "the plan is for \(parentLayerCount) layers, the model has \(layers)")
    }
    try validate()
  }

  private func validate() throws {
    guard !keptLayers.isEmpty else { throw CompressionError(.invalidPlan, "the plan keeps no layer") }
    let isAscending = zip(keptLayers, keptLayers.dropFirst()).allSatisfy { $0 < $1 }
    guard isAscending, keptLayers[0] >= 0, keptLayers.last! < parentLayerCount else {
      throw CompressionError(
        .invalidPlan, "kept layers \(keptLayers) are not ascending numbers below \(parentLayerCount)")
    }
    if let axis = keptIndices.keys.first(where: { $0.layer.map { !keptLayers.contains($0) } ?? false }) {
      throw CompressionError(.invalidPlan, "the plan cuts '\(axis)' of a layer that it does not keep")
    }
    if let scores, scores.count != parentLayerCount {
      throw CompressionError(.invalidPlan, "the plan has \(scores.count) scores for \(parentLayerCount) layers")
    }
  }
}

extension PruningPlan {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case parentLayerCount, keptLayers, keptIndices, criterion, scores
  }

  /// Refuses a key it does not know and a plan that means nothing, since plans are edited by hand.
  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      parentLayerCount: try container.decode(Int.self, forKey: .parentLayerCount),
      keptLayers: try container.decode([Int].self, forKey: .keptLayers),
      criterion: try container.decode(Criterion.self, forKey: .criterion),
      scores: try container.decodeIfPresent([Double].self, forKey: .scores))
    for (name, indices) in try container.decodeIfPresent([String: [Int]].self, forKey: .keptIndices) ?? [:] {
      guard let axis = ScopedAxis(name) else {
        throw CompressionError(
          .invalidPlan, "'\(name)' is no axis, expected one such as hidden or layers.0.intermediate")
      }
      keptIndices[axis] = indices
    }
    try validate()
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(parentLayerCount, forKey: .parentLayerCount)
    try container.encode(keptLayers, forKey: .keptLayers)
    if !keptIndices.isEmpty {
      let named = Dictionary(uniqueKeysWithValues: keptIndices.map { ($0.key.description, $0.value) })
      try container.encode(named, forKey: .keptIndices)
    }
    try container.encode(criterion, forKey: .criterion)
    try container.encodeIfPresent(scores, forKey: .scores)
  }

  /// Reads a plan from JSON text; `name` is for messages.
  /// - Throws: `CompressionError.invalidPlan` that says where and why.
  public init(parsing bytes: [UInt8], name: String) throws {
    do {
      self = try JSON(parsing: bytes).decoded()
    } catch {
      throw CompressionError(.invalidPlan, "'\(name)' is no pruning plan: \(decodingMessage(error))")
    }
  }
}

extension Checkpoint {
  /// The model without the layers and indices that the plan drops; lazy.
  public func pruned(by plan: PruningPlan) throws -> Checkpoint {
    try plan.validate(for: self)
    return try keeping(layers: plan.keptLayers, indices: plan.keptIndices)
  }
}
