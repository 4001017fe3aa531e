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
  /// The model that the plan was made for; nil in a plan that somebody wrote by hand.
  public var parent: Parent?
  /// Why each axis was cut as it is.
  public var reasons: [Reason] = []

  public enum Criterion: String, Sendable, Codable, CaseIterable {
    /// 1 − cos of what goes into a layer and what comes out.
    case blockInfluence
    /// How far layers turn the residual stream of a sequence's last token.
    case angularDistance
    /// The loss without the layers.
    case loss
    /// Its exponential: the same order.
    case perplexity
    /// The score in a task without the layers.
    case task
    /// Somebody named the layers.
    case explicit
  }

  public init(parentLayerCount: Int, keptLayers: [Int], criterion: Criterion, scores: [Double]? = nil) {
    self.parentLayerCount = parentLayerCount
    self.keptLayers = keptLayers
    self.criterion = criterion
    self.scores = scores
  }

  public var droppedLayers: [Int] {
    let kept = Set(keptLayers)
    return (0..<parentLayerCount).filter { !kept.contains($0) }
  }

  /// The hash of what is kept: the same for plans that cut alike, whatever they say of why.
  var cutHash: ContentHash {
    get throws {
      var cut = PruningPlan(parentLayerCount: parentLayerCount, keptLayers: keptLayers, criterion: .explicit)
      cut.keptIndices = keptIndices
      return ContentHash(of: Array(try JSON(encoding: cut).serialized().utf8))
    }
  }

  /// No model comes near it; a plan that claims more is damaged.
  private static let layerLimit = 65_536

  /// Keeps the `count` layers that it would cost most to drop; of equals, the earlier.
  ///
  /// - Parameter isContiguous: whether the layers that go are neighbours.
  /// - Throws: `CompressionError.invalidPlan` for a count that leaves no layer, or that nothing was measured for.
  public init(keeping count: Int, by costs: LayerCosts, isContiguous: Bool = false) throws {
    let dropped = try costs.cheapest(keeping: count, isContiguous: isContiguous)
    self.init(
      parentLayerCount: costs.layerCount, keptLayers: (0..<costs.layerCount).filter { !dropped.contains($0) },
      criterion: costs.criterion, scores: costs.singles)
  }

  /// Checks what can be checked without the model.
  func validate() throws {
    guard parentLayerCount <= Self.layerLimit else {
      throw CompressionError(
        .invalidPlan, "the plan is for \(parentLayerCount) layers, expected at most \(Self.layerLimit)")
    }
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
    case parent, parentLayerCount, keptLayers, keptIndices, criterion, scores, reasons
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
    parent = try container.decodeIfPresent(Parent.self, forKey: .parent)
    reasons = try container.decodeIfPresent([Reason].self, forKey: .reasons) ?? []
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
    try container.encodeIfPresent(parent, forKey: .parent)
    try container.encode(parentLayerCount, forKey: .parentLayerCount)
    try container.encode(keptLayers, forKey: .keptLayers)
    if !keptIndices.isEmpty {
      let named = Dictionary(uniqueKeysWithValues: keptIndices.map { ($0.key.description, $0.value) })
      try container.encode(named, forKey: .keptIndices)
    }
    try container.encode(criterion, forKey: .criterion)
    try container.encodeIfPresent(scores, forKey: .scores)
    if !reasons.isEmpty { try container.encode(reasons, forKey: .reasons) }
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
      .quantizedAgain(like: self, layers: plan.keptLayers)
  }
}
