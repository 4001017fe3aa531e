/// What a model's loss becomes when it skips a layer, or a run of neighbouring layers.
///
/// The loss is that of `Perplexity`: the mean negative log-likelihood over the second half of each sequence, in nats. Unlike block
/// influence it says what skipping costs at the end of the model, not how far it turns the residual stream on the way.
public struct LayerLosses: Sendable, Equatable {
  /// The loss of the whole model on the same tokens.
  public let baseline: Double
  /// Tokens the losses were measured on, scored or not.
  public let tokenCount: Int
  /// For each length, the loss without the run that starts at each layer.
  private let losses: [Int: [Double]]

  /// - Parameter losses: for each length `n`, the loss without layers `i..<i + n` at `[i]`.
  public init(baseline: Double, tokenCount: Int, losses: [Int: [Double]]) {
    self.baseline = baseline
    self.tokenCount = tokenCount
    self.losses = losses
  }

  /// Lengths of the runs that were skipped, ascending.
  public var lengths: [Int] { losses.keys.sorted() }

  /// The loss without the `count` layers from `first` on; nil if that was not measured.
  public subscript(first first: Int, count count: Int) -> Double? {
    guard let row = losses[count], row.indices.contains(first) else { return nil }
    return row[first]
  }

  /// The losses without each run of `count` layers, by the run's first layer; nil if that length was not measured.
  public func losses(skipping count: Int) -> [Double]? { losses[count] }
}
