public import ModelArchitectures
internal import ModelCompute

/// How much each index of each axis matters; the higher, the more.
public struct Importance: Sendable, Equatable {
  /// How activations become one number.
  public struct Settings: Sendable, Codable, Equatable {
    public var sequence = Aggregate.mean
    public var batch = Aggregate.l2
    /// What neurons take in place of `sequence`. Minitron takes the mean for them, too; the L2 norm, which with L2 over sequences
    /// ranks by root mean square, keeps neurons that speak rarely but loudly and loses less (Docs/Pruning.md has the figures).
    public var neuronSequence = Aggregate.l2
    /// Whether hidden channels are also judged at the last norm. ModelOpt leaves it out.
    public var includesFinalNorm = false

    public init() {}
  }

  public private(set) var scores: [ScopedAxis: [Double]] = [:]

  public init(
    _ statistics: ActivationStatistics, headDimension: Int, keyValueHeadCount: Int, settings: Settings = Settings()
  ) {
    func channels(_ statistics: ChannelStatistics) -> [Double] {
      statistics.importance(sequence: settings.sequence, batch: settings.batch)
    }
    func neurons(_ statistics: ChannelStatistics) -> [Double] {
      statistics.importance(sequence: settings.neuronSequence, batch: settings.batch)
    }
    var hidden: [Double] = settings.includesFinalNorm ? channels(statistics.finalHidden) : []
    for (layer, sites) in statistics.layers.enumerated() {
      for site in [Site.attentionInput, .feedForwardInput] {
        guard let part = sites[site].map(channels) else { continue }
        hidden = hidden.isEmpty ? part : zip(hidden, part).map { $0 + $1 }
      }
      if let inner = sites[.feedForwardInner] { scores[ScopedAxis(.intermediate, layer: layer)] = neurons(inner) }
      guard let attended = sites[.attended] else { continue }
      // A head matters as the L2 norm of its channels; a key-value head as the sum of the heads it serves.
      let heads = Self.grouped(channels(attended), by: headDimension) { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      scores[ScopedAxis(.queryHead, layer: layer)] = heads
      scores[ScopedAxis(.keyValueHead, layer: layer)] = Self.grouped(heads, by: heads.count / keyValueHeadCount) {
        $0.reduce(0, +)
      }
    }
    scores[ScopedAxis(.hidden)] = hidden
  }

  public subscript(axis: ScopedAxis) -> [Double]? { scores[axis] }

  private static func grouped(_ values: [Double], by size: Int, _ reduce: (ArraySlice<Double>) -> Double) -> [Double] {
    stride(from: 0, to: values.count, by: max(size, 1)).map { reduce(values[$0..<min($0 + size, values.count)]) }
  }
}
