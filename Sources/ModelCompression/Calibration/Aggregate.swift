/// How many values become one: over the tokens of a sequence, or over sequences.
///
/// The Minitron paper (arXiv 2407.14679, table 13) tries all pairs and finds `mean` over the sequence and `l2` over the batch best.
public enum Aggregate: String, CaseIterable, Sendable, Codable {
  /// Over tokens: mean of |x|. Over sequences: mean.
  case mean
  /// √Σx²
  case l2
  /// Mean of squares less square of mean.
  case variance
}
