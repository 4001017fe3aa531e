/// The numbers that make one model of a family: everything its weight table and its program depend on.
public struct Hyperparameters: Hashable, Sendable, Codable {
  public var layerCount = 0
  public var hiddenSize = 0
  public var intermediateSize = 0
  public var queryHeadCount = 0
  public var keyValueHeadCount = 0
  public var headDimension = 0
  public var vocabularySize = 0
  public var contextLength = 0
  public var normEpsilon = 1e-5
  public var rotary = Rotary(dimension: 0)
  public var activation = Activation.silu
  /// Whether the head uses the embedding's weights.
  public var tiesHead = false
  public var hasAttentionBias = false
  public var hasFeedForwardBias = false
  /// Attention scores are divided by the square root of this; the head dimension if nil.
  public var queryScalar: Double?
  /// Attention scores are capped to ± this by a hyperbolic tangent.
  public var attentionSoftcap: Double?
  /// Logits are capped to ± this by a hyperbolic tangent.
  public var logitSoftcap: Double?
  /// Tokens that a sliding layer sees, itself included.
  public var slidingWindow: Int?
  /// One kind for each layer. Kept when layers are dropped: a layer's kind belongs to its original place.
  public var layerKinds: [LayerKind] = []

  public init() {}

  public func size(of axis: Axis) -> Int {
    switch axis {
    case .hidden: hiddenSize
    case .intermediate: intermediateSize
    case .queryHead: queryHeadCount
    case .keyValueHead: keyValueHeadCount
    case .headDimension: headDimension
    case .vocabulary: vocabularySize
    }
  }

  /// The factor on attention scores before the softmax.
  public var attentionScale: Double { 1 / (queryScalar ?? Double(headDimension)).squareRoot() }

  /// Sliding window of a layer, nil if it sees everything before it.
  public func window(ofLayer layer: Int) -> Int? {
    layerKinds.indices.contains(layer) && layerKinds[layer] == .sliding ? slidingWindow : nil
  }

  /// The same model with only these layers, renumbered from zero.
  public func keeping(layers: [Int]) -> Hyperparameters {
    var result = self
    result.layerCount = layers.count
    if !layerKinds.isEmpty { result.layerKinds = layers.map { layerKinds[$0] } }
    return result
  }
}
