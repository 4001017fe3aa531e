/// What a weight does, whatever a file calls it.
public enum WeightRole: String, CaseIterable, Sendable, Codable {
  case embedding
  case attentionNorm, query, key, value, queryNorm, keyNorm, attentionOutput, attentionPostNorm
  case feedForwardNorm, gate, up, down, feedForwardPostNorm
  case finalNorm, head

  /// Whether every layer has one of its own.
  public var isPerLayer: Bool {
    switch self {
    case .embedding, .finalNorm, .head: false
    case .attentionNorm, .query, .key, .value, .queryNorm, .keyNorm, .attentionOutput, .attentionPostNorm,
      .feedForwardNorm, .gate, .up, .down, .feedForwardPostNorm:
      true
    }
  }

  /// Whether the weight multiplies activations as a matrix: what quantization applies to. The embedding is a table and is not one.
  public var isLinear: Bool {
    switch self {
    case .query, .key, .value, .attentionOutput, .gate, .up, .down, .head: true
    case .embedding, .attentionNorm, .queryNorm, .keyNorm, .attentionPostNorm, .feedForwardNorm, .feedForwardPostNorm,
      .finalNorm:
      false
    }
  }
}
