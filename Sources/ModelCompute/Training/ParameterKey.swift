public import ModelArchitectures

/// Names a trained matrix.
public enum ParameterKey: Hashable, Sendable, CustomStringConvertible {
  /// The factors of ΔW = scale · up · down.
  public enum Factor: String, Sendable, CaseIterable { case down, up }

  /// A weight of the model.
  case weight(WeightKey)
  /// A factor of what low-rank adaptation adds to a weight.
  case factor(Factor, of: WeightKey)
  /// What carries a layer's output over to the width of the teacher's; no part of the model.
  case projection(layer: Int)

  public var description: String {
    switch self {
    case .weight(let key): key.description
    case .factor(let factor, let key): "\(key.description).\(factor.rawValue)"
    case .projection(let layer): "layers.\(layer).projection"
    }
  }
}
