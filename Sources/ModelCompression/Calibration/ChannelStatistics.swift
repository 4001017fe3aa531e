internal import ModelCompute
internal import TensorFormats

/// What calibration keeps of the activations at one site: sums for each channel, from which every importance follows.
///
/// Memory depends on the channels, not on the tokens: a sequence is reduced to its aggregates, and these to their sums.
public struct ChannelStatistics: Sendable, Equatable {
  public let channelCount: Int
  public private(set) var sequenceCount = 0
  public private(set) var tokenCount = 0
  /// For each aggregate over a sequence, its sum over sequences.
  private(set) var sums: [Aggregate: [Double]]
  /// And the sum of its squares.
  private(set) var squares: [Aggregate: [Double]]
  /// Largest magnitude of each channel.
  public private(set) var maxima: [Float]

  public init(channelCount: Int) {
    self.channelCount = channelCount
    let zeros = [Double](repeating: 0, count: channelCount)
    sums = Dictionary(uniqueKeysWithValues: Aggregate.allCases.map { ($0, zeros) })
    squares = sums
    maxima = [Float](repeating: 0, count: channelCount)
  }

  init(
    sequenceCount: Int, tokenCount: Int, sums: [Aggregate: [Double]], squares: [Aggregate: [Double]], maxima: [Float]
  ) {
    channelCount = maxima.count
    self.sequenceCount = sequenceCount
    self.tokenCount = tokenCount
    self.sums = sums
    self.squares = squares
    self.maxima = maxima
  }

  /// Adds the activations of one sequence, tokens × channels.
  mutating func add(_ activations: Matrix) {
    precondition(activations.columns == channelCount)
    guard activations.rows > 0 else { return }
    let sequence = SequenceSums(activations)
    let tokens = Double(activations.rows)
    for channel in 0..<channelCount {
      let mean = sequence.values[channel] / tokens
      add(sequence.magnitudes[channel] / tokens, to: .mean, channel)
      add(sequence.squares[channel].squareRoot(), to: .l2, channel)
      add(max(0, sequence.squares[channel] / tokens - mean * mean), to: .variance, channel)
      maxima[channel] = max(maxima[channel], sequence.maxima[channel])
    }
    sequenceCount += 1
    tokenCount += activations.rows
  }

  private mutating func add(_ value: Double, to aggregate: Aggregate, _ channel: Int) {
    sums[aggregate]![channel] += value
    squares[aggregate]![channel] += value * value
  }

  /// One number a channel: aggregated over the tokens of each sequence, then over sequences.
  public func importance(sequence: Aggregate = .mean, batch: Aggregate = .l2) -> [Double] {
    let count = Double(max(sequenceCount, 1))
    return zip(sums[sequence]!, squares[sequence]!).map { sum, squares in
      switch batch {
      case .mean: sum / count
      case .l2: squares.squareRoot()
      case .variance: max(0, squares / count - (sum / count) * (sum / count))
      }
    }
  }

  /// Mean of x² of each channel over all tokens: the diagonal of the second moment, what llama.cpp calls importance matrix.
  public var meanSquares: [Double] { squares[.l2]!.map { $0 / Double(max(tokenCount, 1)) } }

  /// Largest magnitude of all.
  public var maximum: Float { maxima.max() ?? 0 }
}

/// Sums over the tokens of one sequence, for each channel.
private struct SequenceSums {
  /// Rows that are summed in F32 before they are added in double: exact to about a millionth, at the speed of F32.
  private static let rowsAtOnce = 16

  private(set) var values: [Double]
  private(set) var magnitudes: [Double]
  private(set) var squares: [Double]
  private(set) var maxima: [Float]

  init(_ matrix: Matrix) {
    let columns = matrix.columns
    values = [Double](repeating: 0, count: columns)
    (magnitudes, squares) = (values, values)
    maxima = [Float](repeating: 0, count: columns)
    var partial = [Float](repeating: 0, count: 3 * columns)
    for start in stride(from: 0, to: matrix.rows, by: Self.rowsAtOnce) {
      partial.withUnsafeMutableBufferPointer { partial in
        partial.update(repeating: 0)
        for row in start..<min(start + Self.rowsAtOnce, matrix.rows) { Self.add(matrix[row], to: partial, &maxima) }
      }
      for column in 0..<columns {
        values[column] += Double(partial[column])
        magnitudes[column] += Double(partial[columns + column])
        squares[column] += Double(partial[2 * columns + column])
      }
    }
  }

  private static func add(
    _ row: UnsafeMutableBufferPointer<Float>, to partial: UnsafeMutableBufferPointer<Float>, _ maxima: inout [Float]
  ) {
    let columns = row.count
    maxima.withUnsafeMutableBufferPointer { maxima in
      for column in 0..<columns {
        let value = row[column]
        let magnitude = value.magnitude
        partial[column] += value
        partial[columns + column] += magnitude
        partial[2 * columns + column] += value * value
        maxima[column] = maxima[column] < magnitude ? magnitude : maxima[column]
      }
    }
  }
}
