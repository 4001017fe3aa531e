/// A named place in the program where activations can be observed, replaced or given a gradient.
///
/// Every site is written once in a block and holds a matrix of `tokens × width`.
public enum Site: String, CaseIterable, Sendable, Codable {
  /// Token embeddings, scaled where the family scales them: the first block's input.
  case embedding
  case blockInput
  /// What the attention projections read.
  case attentionInput
  case query, key, value
  case queryNormed, keyNormed
  case queryRotated, keyRotated
  /// Concatenated heads: what the output projection reads.
  case attended
  case attentionOutput
  case attentionOutputNormed
  /// The residual stream between attention and feed-forward.
  case attentionResidual
  /// What the feed-forward projections read.
  case feedForwardInput
  case gate, up, activated
  /// Neurons: what the down projection reads.
  case feedForwardInner
  case feedForwardOutput
  case feedForwardOutputNormed
  case blockOutput
  /// After the last norm: what the head reads.
  case finalHidden
  /// What the head gives, before a soft-cap.
  case headOutput
  case logits
}
