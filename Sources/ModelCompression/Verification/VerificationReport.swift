/// What a comparison of a checkpoint with its parent found.
public struct VerificationReport: Sendable, Encodable {
  /// Does the file hold what the plan makes of the parent?
  public let correctness: Correctness
  /// What did it cost?
  public let quality: Quality
  /// What was rounded in the result's forward pass; nil if it is not quantized.
  public let emulation: EmulationSummary?
  /// How far the residual stream is from the parent's, layer by layer.
  public let layers: [StreamSimilarity]
  /// Every weight of the parent that the result has in the same shape, as the plan maps it.
  public let tensors: [TensorComparison]

  public struct Correctness: Sendable, Encodable {
    /// What the written file was compared with.
    public let reference: String
    /// Σ(a − b)² ÷ Σa² of logits of the written file against the plan applied in memory.
    public let normalizedError: Double
    public let tolerance: Double
    /// Whether one differing tensor is enough to fail. The recipe gives the same bytes every time; another program's
    /// conversion of the parent may differ in the last bits.
    public let expectsEqualTensors: Bool
    /// Weights that are missing, extra, or of another shape.
    public let unmatchedTensors: [String]
    /// Weights whose values differ.
    public let differingTensors: [String]
    /// What of the tokenizer and of the context differs, in a few words each; counts where differing tensors count.
    public let differingSettings: [String]
    /// How each weight was checked.
    public let checks: Checks

    public var passes: Bool {
      unmatchedTensors.isEmpty && normalizedError <= tolerance
        && (differingTensors.isEmpty && differingSettings.isEmpty || !expectsEqualTensors)
    }
  }

  /// Weights by what they were compared with. All of the file's weights are one or the other.
  public struct Checks: Sendable, Codable, Equatable {
    /// Computed again from the parent, bit by bit.
    public var recomputed: Int
    /// Computed again from the overlay that was given, bit by bit.
    public var overlaid: Int
    /// Not known but by the SHA-256 that the recipe keeps.
    public var hashed: Int
  }

  public struct Quality: Sendable, Encodable {
    /// The result's next-token distributions against the parent's.
    public let comparison: LogitComparison
    public let parentPerplexity: Perplexity
    public let perplexity: Perplexity
    public let parentByteCount: Int
    public let byteCount: Int
    public let parentParameterCount: Int
    public let parameterCount: Int
    /// Above this ratio of perplexities the result is refused; nil reports only.
    public let maximumPerplexityRatio: Double?

    public var perplexityRatio: Double { perplexity.value / parentPerplexity.value }
    public var passes: Bool { maximumPerplexityRatio.map { perplexityRatio <= $0 } ?? true }
  }

  public var passes: Bool { correctness.passes && quality.passes }
}

// The verdicts stand in the JSON beside what they follow from.

extension VerificationReport {
  private enum Key: String, CodingKey { case passes, correctness, quality, emulation, layers, tensors }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(passes, forKey: .passes)
    try container.encode(correctness, forKey: .correctness)
    try container.encode(quality, forKey: .quality)
    try container.encodeIfPresent(emulation, forKey: .emulation)
    try container.encode(layers, forKey: .layers)
    try container.encode(tensors, forKey: .tensors)
  }
}

extension VerificationReport.Correctness {
  private enum Key: String, CodingKey {
    case passes, reference, normalizedError, tolerance, expectsEqualTensors, checks, unmatchedTensors, differingTensors
    case differingSettings
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(passes, forKey: .passes)
    try container.encode(reference, forKey: .reference)
    try container.encode(normalizedError, forKey: .normalizedError)
    try container.encode(tolerance, forKey: .tolerance)
    try container.encode(expectsEqualTensors, forKey: .expectsEqualTensors)
    try container.encode(checks, forKey: .checks)
    try container.encode(unmatchedTensors, forKey: .unmatchedTensors)
    try container.encode(differingTensors, forKey: .differingTensors)
    try container.encode(differingSettings, forKey: .differingSettings)
  }
}

extension VerificationReport.Quality {
  private enum Key: String, CodingKey {
    case passes, comparison, perplexityRatio, maximumPerplexityRatio, parentPerplexity, perplexity, parentByteCount
    case byteCount, parentParameterCount, parameterCount
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(passes, forKey: .passes)
    try container.encode(perplexityRatio, forKey: .perplexityRatio)
    try container.encode(maximumPerplexityRatio, forKey: .maximumPerplexityRatio)
    try container.encode(comparison, forKey: .comparison)
    try container.encode(parentPerplexity, forKey: .parentPerplexity)
    try container.encode(perplexity, forKey: .perplexity)
    try container.encode(parentByteCount, forKey: .parentByteCount)
    try container.encode(byteCount, forKey: .byteCount)
    try container.encode(parentParameterCount, forKey: .parentParameterCount)
    try container.encode(parameterCount, forKey: .parameterCount)
  }
}
