/// How small a model shall become.
public enum SizeGoal: Sendable, Codable, Equatable, CustomStringConvertible {
  /// At most so many parameters.
  case parameters(Int)
  /// At most this share of the parent's parameters.
  case parameterShare(Double)
  /// Tensors of at most so many bytes, as they are written.
  case weightBytes(Int)
  /// Weights and key-value cache of one sequence in at most so many bytes.
  case memory(bytes: Int, context: Int)
  /// At least so many times as fast as the parent in the same output format, by operations or bytes read.
  case speedup(Double, Phase)

  /// What is to become faster.
  public enum Phase: String, Sendable, Codable, CaseIterable {
    /// One token after the other: bound by the bytes of weights and cache that are read for each.
    case decode
    /// A prompt at once: bound by the operations of matrix products.
    case prefill
  }

  public var description: String {
    switch self {
    case .parameters(let count): "\(count) parameters"
    case .parameterShare(let share): "\((share * 1000).rounded() / 10) % of the parameters"
    case .weightBytes(let bytes): "\(bytes) bytes of weights"
    case .memory(let bytes, let context): "\(bytes) bytes of weights and cache at \(context) tokens"
    case .speedup(let factor, let phase): "\(phase.rawValue) × \(factor)"
    }
  }

  /// The context that the goal is for; nil if it depends on none.
  public var context: Int? {
    if case .memory(_, let context) = self { context } else { nil }
  }

  /// What is to be at most `limit`.
  func measure(_ footprint: ModelFootprint) -> Int {
    switch self {
    case .parameters, .parameterShare: footprint.parameters
    case .weightBytes: footprint.weightBytes
    case .memory: footprint.memoryBytes
    case .speedup(_, .decode): footprint.decodeBytes
    case .speedup(_, .prefill): footprint.prefillOperations
    }
  }

  /// The limit and its unit, for goals that are stated against the parent.
  func bound(_ limit: Int) -> String {
    switch self {
    case .parameters, .weightBytes, .memory: ""
    case .parameterShare: ", at most \(limit)"
    case .speedup(_, .decode): ", at most \(limit) bytes a token"
    case .speedup(_, .prefill): ", at most \(limit) operations a token"
    }
  }

  func limit(for parent: ModelFootprint) -> Int {
    switch self {
    case .parameters(let count): count
    case .parameterShare(let share): Int((Double(parent.parameters) * share).rounded(.down))
    case .weightBytes(let bytes): bytes
    case .memory(let bytes, _): bytes
    case .speedup(let factor, _): Int((Double(measure(parent)) / factor).rounded(.down))
    }
  }
}
