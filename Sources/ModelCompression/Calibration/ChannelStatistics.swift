internal import ModelCompute
internal import TensorFormats

/// What calibration keeps of the activations at one site: sums for each channel, from which every importance follows, and a
/// histogram of all magnitudes, from which a scale is chosen.
///
/// Memory depends on the channels, not on the tokens: a sequence is reduced to its aggregates, and these to their sums.
public struct ChannelStatistics: Sendable, Equatable {
  public let channelCount: Int
  public private(set) var sequenceCount = 0
  public private(set) var tokenCount = 0
  /// For each aggregate over a sequence, its sum over sequences.
  private(set) var sums: AggregateTable
  /// And the sum of its squares.
  private(set) var squares: AggregateTable
  /// Sum of the values of each channel over all tokens.
  private(set) var totals: [Double]
  /// Largest magnitude of each channel.
  public private(set) var maxima: [Float]
  /// Magnitudes of all channels.
  public private(set) var histogram = MagnitudeHistogram()

  public init(channelCount: Int) {
    self.channelCount = channelCount
    sums = AggregateTable(channelCount: channelCount)
    squares = sums
    totals = Array(repeating: 0, count: channelCount)
    maxima = Array(repeating: 0, count: channelCount)
  }

  /// All tables must have as many channels.
  init(
    sequenceCount: Int, tokenCount: Int, sums: AggregateTable, squares: AggregateTable, totals: [Double],
    maxima: [Float], histogram: MagnitudeHistogram
  ) {
    channelCount = maxima.count
    self.sequenceCount = sequenceCount
    self.tokenCount = tokenCount
    self.sums = sums
    self.squares = squares
    self.totals = totals
    self.maxima = maxima
    self.histogram = histogram
  }

  /// One number a channel: aggregated over the tokens of each sequence, then over sequences.
  public func importance(sequence: Aggregate = .mean, batch: Aggregate = .l2) -> [Double] {
    let count = Double(max(sequenceCount, 1))
    return zip(sums[sequence], squares[sequence]).map { sum, squares in
      switch batch {
      case .mean: sum / count
      case .l2: squares.squareRoot()
      case .variance: max(0, squares / count - (sum / count) * (sum / count))
      }
    }
  }

  /// Mean of each channel over all tokens.
  public var means: [Double] { totals.map { $0 / Double(max(tokenCount, 1)) } }

  /// Mean of x² of each channel over all tokens: the diagonal of the second moment, what llama.cpp calls importance matrix.
  public var meanSquares: [Double] { squares.l2.map { $0 / Double(max(tokenCount, 1)) } }

  /// Sum of x² of each channel over all tokens.
  var squareTotals: [Double] { squares.l2 }

  /// Largest magnitude of all.
  public var maximum: Float { maxima.max() ?? 0 }

  // MARK: Gathering

  /// Adds activations, tokens × channels.
  ///
  /// - Parameter sequences: the rows of each sequence. The result does not depend on how many cores there are, nor on which
  ///   sequences are added together.
  mutating func add(_ activations: Matrix, sequences: [Range<Int>]) {
    precondition(activations.columns == channelCount)
    let sequences = sequences.filter { !$0.isEmpty }
    let panels = Self.panels(channelCount: channelCount, tokenCount: activations.rows)
    let sums = parallelMap(of: sequences.count * panels.count) { index in
      let (sequence, panel) = index.quotientAndRemainder(dividingBy: panels.count)
      return ChannelSums(activations, rows: sequences[sequence], columns: panels[panel])
    }
    for (index, part) in sums.enumerated() { add(part, tokens: sequences[index / panels.count].count) }
    sequenceCount += sequences.count
    tokenCount += sequences.reduce(0) { $0 + $1.count }
  }

  private mutating func add(_ sequence: ChannelSums, tokens: Int) {
    let tokens = Double(tokens)
    for (index, channel) in sequence.columns.enumerated() {
      let value = sequence.values[index]
      let mean = value / tokens
      let magnitude = sequence.magnitudes[index] / tokens
      let square = sequence.squares[index]
      let variance = max(0, square / tokens - mean * mean)
      sums.mean[channel] += magnitude
      sums.l2[channel] += square.squareRoot()
      sums.variance[channel] += variance
      squares.mean[channel] += magnitude * magnitude
      squares.l2[channel] += square
      squares.variance[channel] += variance * variance
      totals[channel] += value
      let maximum = sequence.maxima[index]
      if maximum > maxima[channel] || maximum.isNaN { maxima[channel] = maximum }
    }
    sequence.patterns.withUnsafeBufferPointer { histogram.add(patterns: $0) }
  }

  /// Channels in panels that are worth a worker each.
  private static func panels(channelCount: Int, tokenCount: Int) -> [Range<Int>] {
    let values = channelCount * tokenCount
    let count = min(max(values >> 18, 1), processorCount * 2, max(channelCount, 1))
    return (0..<count).map { channelCount * $0 / count..<channelCount * ($0 + 1) / count }
  }
}

/// A number for each channel and aggregate.
struct AggregateTable: Sendable, Equatable {
  var mean: [Double]
  var l2: [Double]
  var variance: [Double]

  init(channelCount: Int) {
    mean = Array(repeating: 0, count: channelCount)
    (l2, variance) = (mean, mean)
  }

  subscript(aggregate: Aggregate) -> [Double] {
    get {
      switch aggregate {
      case .mean: mean
      case .l2: l2
      case .variance: variance
      }
    }
    set {
      switch aggregate {
      case .mean: mean = newValue
      case .l2: l2 = newValue
      case .variance: variance = newValue
      }
    }
  }
}
