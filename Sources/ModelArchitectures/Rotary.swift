/// Rotary position embedding (Su et al., arXiv 2104.09864).
public struct Rotary: Hashable, Sendable, Codable {
  /// The base θ of the geometric series of frequencies.
  public var base: Double
  /// Channels of a head that are rotated, from the first; the rest pass through.
  public var dimension: Int
  public var scaling: RotaryScaling

  public init(base: Double = 10_000, dimension: Int, scaling: RotaryScaling = .none) {
    self.base = base
    self.dimension = dimension
    self.scaling = scaling
  }
}

/// How frequencies are stretched for contexts beyond the one trained on.
public enum RotaryScaling: Hashable, Sendable, Codable {
  case none
  /// All frequencies divided by a factor.
  case linear(factor: Double)
  /// Llama 3.1: long wavelengths divided, short ones kept, those between interpolated.
  case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContext: Int)
}
