/// What a comparison of a checkpoint with its parent found.
public struct VerificationReport: Sendable, Codable {
  /// Does the file hold what the plan makes of the parent?
  public let correctness: Correctness
  /// What did it cost?
  public let quality: Quality
  /// Every weight of the parent that the result has in the same shape, as the plan maps it.
  public let tensors: [TensorComparison]

  public struct Correctness: Sendable, Codable {
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

    public var passes: Bool {
      unmatchedTensors.isEmpty && normalizedError <= tolerance && (differingTensors.isEmpty || !expectsEqualTensors)
    }
  }

  public struct Quality: Sendable, Codable {
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
