internal import ModelArchitectures
public import ModelCheckpoints

/// Which layers of a model are kept, and why. Can be printed, saved, edited and applied again.
public struct PruningPlan: Sendable, Codable, Equatable {
  /// Layers of the model that the plan is for.
  public var parentLayerCount: Int
  /// Kept layers by their original number, ascending.
  public var keptLayers: [Int]
  /// What the choice was made by.
  public var criterion: Criterion
  /// The score of every layer of the parent; the higher, the more it matters.
  public var scores: [Double]?

  public enum Criterion: String, Sendable, Codable {
    case blockInfluence
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
    guard !keptLayers.isEmpty else { throw CompressionError(.invalidPlan, "the plan keeps no layer") }
    guard zip(keptLayers, keptLayers.dropFirst()).allSatisfy({ $0 < $1 }), keptLayers[0] >= 0, keptLayers.last! < layers
    else {
      throw CompressionError(.invalidPlan, "kept layers \(keptLayers) are not ascending numbers below \(layers)")
    }
  }
}

extension Checkpoint {
  /// The model without the layers that the plan drops; lazy.
  public func pruned(by plan: PruningPlan) throws -> Checkpoint {
    try plan.validate(for: self)
    return try keeping(layers: plan.keptLayers)
  }
}
