/// How weights become FP8 codes. Applies to matrices that multiply activations; never to embeddings, norms, biases or the head.
public struct QuantizationScheme: Sendable, Codable, Equatable {
  public var kind: Kind
  public var rounding: Rounding

  public enum Kind: String, Sendable, Codable {
    /// E4M3 weights with a scale for each output channel; activations are quantized by the engine, token by token.
    /// `FP8_DYNAMIC` of compressed-tensors.
    case fp8Dynamic = "fp8-dynamic"
  }

  public enum Rounding: String, Sendable, Codable {
    /// Codes are F32 weight ÷ scale, rounded once.
    case single
    /// The quotient is first rounded to BF16, as llm-compressor and ModelOpt do with BF16 weights: the same bytes as theirs.
    case compat
  }

  public init(kind: Kind = .fp8Dynamic, rounding: Rounding = .single) {
    self.kind = kind
    self.rounding = rounding
  }
}

extension QuantizationScheme {
  private enum CodingKeys: String, CodingKey, CaseIterable { case kind, rounding }

  /// Refuses a key it does not know.
  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    kind = try container.decode(Kind.self, forKey: .kind)
    rounding = try container.decode(Rounding.self, forKey: .rounding)
  }
}
