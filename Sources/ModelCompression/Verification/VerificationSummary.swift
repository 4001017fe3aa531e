/// What verification found, in the numbers that stand in a recipe and on a model card.
public struct VerificationSummary: Sendable, Codable, Equatable {
  /// Whether the file holds what the recipe makes of the parent.
  public var isCorrect: Bool
  public var parentPerplexity: Double
  public var perplexity: Double
  /// Mean KL divergence of next-token distributions from the parent's, in nats.
  public var divergence: Double
  /// Share of tokens at which both find the same token most likely.
  public var topAgreement: Double
  public var tokens: Int
  /// The text that both ran on; nil for random tokens.
  public var text: String?
  /// What was rounded in the result's forward pass; nil if it is not quantized.
  public var emulation: EmulationSummary?

  public init(_ report: VerificationReport, text: String?) {
    isCorrect = report.correctness.passes
    parentPerplexity = report.quality.parentPerplexity.value
    perplexity = report.quality.perplexity.value
    divergence = report.quality.comparison.divergence
    topAgreement = report.quality.comparison.topAgreement
    tokens = report.quality.comparison.tokenCount
    self.text = text
    emulation = report.emulation
  }
}
