/// The nonlinearity of a feed-forward layer.
public enum Activation: String, CaseIterable, Sendable, Codable {
  /// x · sigmoid(x)
  case silu
  /// x · Φ(x), by the error function
  case gelu
  /// x · Φ(x), by the hyperbolic tangent: 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
  case geluTanh
  /// max(x, 0)²
  case squaredReLU

  /// The names transformers uses; the first is the one written.
  public var huggingFaceNames: [String] {
    switch self {
    case .silu: ["silu", "swish"]
    case .gelu: ["gelu"]
    case .geluTanh: ["gelu_pytorch_tanh", "gelu_new", "gelu_fast"]
    case .squaredReLU: ["relu2"]
    }
  }

  public init?(huggingFaceName name: String) {
    guard let match = Self.allCases.first(where: { $0.huggingFaceNames.contains(name) }) else { return nil }
    self = match
  }
}
