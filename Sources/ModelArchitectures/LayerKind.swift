/// What the attention of a layer may look at.
public enum LayerKind: String, Sendable, Codable {
  case full = "full_attention"
  case sliding = "sliding_attention"
}
