/// A symbolic size that several weights share. Pruning keeps indices of an axis, never of a tensor.
public enum Axis: String, CaseIterable, Sendable, Codable {
  /// Channels of the residual stream.
  case hidden
  /// Neurons between the two halves of a feed-forward layer.
  case intermediate
  /// Attention heads that ask.
  case queryHead
  /// Attention heads that answer; each serves a group of query heads.
  case keyValueHead
  /// Channels of one attention head.
  case headDimension
  /// Token ids.
  case vocabulary

  /// Whether all layers share the axis or each has its own.
  public enum Scope: Sendable { case model, layer }

  public var scope: Scope {
    switch self {
    case .hidden, .vocabulary, .headDimension: .model
    case .intermediate, .queryHead, .keyValueHead: .layer
    }
  }
}
