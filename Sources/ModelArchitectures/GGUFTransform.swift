/// How the values of a weight in a GGUF file follow from those in a Hugging Face file. Every transform has an inverse.
public enum GGUFTransform: Hashable, Sendable, CustomStringConvertible {
  case identity
  /// GGUF stores `w + 1`: norms whose checkpoint value is an offset from one (Gemma, Nemotron).
  case addOne
  /// GGUF stores the rows of each head with rotary pairs side by side, `0, d/2, 1, d/2+1, …`, where Hugging Face stores the first
  /// halves of all pairs and then the second. A permutation of whole rows, so it applies to quantized rows too.
  case interleaveRotary(heads: Axis)

  public var description: String {
    switch self {
    case .identity: "identity"
    case .addOne: "+1"
    case .interleaveRotary: "interleave rotary rows"
    }
  }
}
