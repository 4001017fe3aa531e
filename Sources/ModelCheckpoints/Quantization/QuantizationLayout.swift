/// How the numbers of a quantized checkpoint are scaled, and which convention names and shapes them.
///
/// What a configuration says, and what an engine needs to know to compute as the checkpoint was meant. The codes themselves stand in
/// `Checkpoint.weights`: a weight with a scale is quantized.
public struct QuantizationLayout: Sendable, Hashable {
  public var dialect: QuantizationDialect
  /// How finely weights are scaled. Single weights may differ where a configuration has several groups.
  public var weights: ScaleGranularity
  /// What an engine does with the inputs of quantized matrices.
  public var activations: ActivationQuantization
  /// Whether keys and values are kept as E4M3 with a calibrated scale a layer.
  public var quantizesKeyValueCache: Bool
  /// Modules that are not quantized: names, or patterns in the dialect's own notation.
  public var ignored: [String]

  public init(
    dialect: QuantizationDialect, weights: ScaleGranularity, activations: ActivationQuantization,
    quantizesKeyValueCache: Bool = false, ignored: [String] = []
  ) {
    self.dialect = dialect
    self.weights = weights
    self.activations = activations
    self.quantizesKeyValueCache = quantizesKeyValueCache
    self.ignored = ignored
  }
}

/// How many values share a scale.
public enum ScaleGranularity: Sendable, Hashable, CustomStringConvertible {
  /// One scale for the whole matrix.
  case tensor
  /// One for each row: for each output channel of a linear weight.
  case row
  /// One for each block; blocks at the edges may be smaller.
  case block(rows: Int, columns: Int)

  public var description: String {
    switch self {
    case .tensor: "tensor"
    case .row: "row"
    case .block(let rows, let columns): "\(rows)×\(columns) block"
    }
  }

  /// The block that shares a scale; a whole row or column is more than any matrix has.
  public var block: (rows: Int, columns: Int) {
    let all = 1 << 40
    switch self {
    case .tensor: return (all, all)
    case .row: return (1, all)
    case .block(let rows, let columns): return (rows, columns)
    }
  }

  /// Rows and columns of scales of a matrix of this shape.
  public func gridShape(of shape: [Int]) -> [Int] {
    [(shape[0] - 1) / block.rows + 1, (shape[1] - 1) / block.columns + 1]
  }
}

/// How an engine quantizes what a matrix is multiplied with, always to E4M3.
public enum ActivationQuantization: Sendable, Hashable, CustomStringConvertible {
  /// Not at all: only weights are codes.
  case none
  /// A scale for each token, found as it runs.
  case perToken
  /// A scale for so many channels of a token, found as it runs.
  case perGroup(Int)
  /// A scale for all tokens, found as it runs.
  case perTensor
  /// The calibrated scale that stands beside each weight (`Weight.inputScale`).
  case calibrated

  public var description: String {
    switch self {
    case .none: "not quantized"
    case .perToken: "per token"
    case .perGroup(let size): "per token and \(size) channels"
    case .perTensor: "per tensor"
    case .calibrated: "calibrated, per tensor"
    }
  }
}
