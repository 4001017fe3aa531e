#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
public import ModelCheckpoints
internal import ModelCompute

/// How well a model predicts a text: exp of the mean negative log-likelihood.
///
/// The protocol of llama-perplexity: the text is cut into chunks, and the second half of each is scored, so that every scored token
/// has at least half a chunk before it.
public struct Perplexity: Sendable, Codable, Equatable {
  public let value: Double
  /// Standard error of `value`.
  public let standardError: Double
  /// Mean negative log-likelihood, in nats.
  public let meanLoss: Double
  public let scoredTokenCount: Int

  /// - Parameter emulation: what of an engine's arithmetic; by default all that the checkpoint says.
  /// - Throws: `CompressionError.notEnoughText` if there is no token to score, and what the forward pass throws.
  public init(
    of model: Checkpoint, on set: CalibrationSet, emulation: Emulation = .declared,
    progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    try set.checkScoredTokens()
    let network = try model.network(emulation)
    let head = try network.head()
    var losses = TokenLosses()
    var completed = 0
    for group in set.groups {
      let tokens = group.reduce(0) { $0 + $1.count }
      func report(_ share: Double) {
        let done = completed + Int(share * Double(tokens))
        progress(WorkProgress(phase: "evaluating", completed: done, total: set.tokenCount, unit: .tokens))
      }
      let hidden = try HiddenStates(network: network)(of: group) { report($0) }
      // The first half of a sequence is never scored, so its logits are not needed.
      try head.forEachScoredPanel(hidden, of: group) { sequence, positions, logits in
        logits.applyLogSoftmax()
        losses.add(logits, positions: positions, of: sequence)
      }
      report(1)
      completed += tokens
    }
    self = losses.perplexity
  }

  init(value: Double, standardError: Double, meanLoss: Double, scoredTokenCount: Int) {
    self.value = value
    self.standardError = standardError
    self.meanLoss = meanLoss
    self.scoredTokenCount = scoredTokenCount
  }
}

extension CalibrationSet {
  /// Throws if no sequence is long enough for a token of its second half to have a next one: nothing can be judged on such a text.
  public func checkScoredTokens() throws {
    guard sequences.contains(where: { $0.count > 2 }) else {
      throw CompressionError(.notEnoughText, "no sequence of three tokens or more to score")
    }
  }
}

extension Head {
  /// As `forEachPanel`, for the positions whose next token is scored: the second half of a sequence, without its last.
  func forEachScoredPanel(
    _ hidden: Matrix, of group: [[Int]],
    _ body: (_ sequence: [Int], _ positions: Range<Int>, _ logits: Matrix) throws -> Void
  ) throws {
    var start = 0
    for sequence in group {
      let first = sequence.count / 2
      let scored = hidden.view(rows: start + first..<start + max(first, sequence.count - 1))
      try forEachPanel(scored) { rows, logits in
        try body(sequence, first + rows.lowerBound..<first + rows.upperBound, logits)
      }
      start += sequence.count
    }
  }
}

/// Losses of scored tokens.
struct TokenLosses {
  private var sum = 0.0
  private var squares = 0.0
  private var count = 0

  init() {}

  /// - Parameter sums: what `sums` gave.
  init(_ sums: ArraySlice<Double>) {
    precondition(sums.count == 3)
    let first = sums.startIndex
    (sum, squares) = (sums[first], sums[first + 1])
    count = Int(exactly: sums[first + 2]) ?? 0
  }

  /// The sum of the losses, that of their squares, and how many they are.
  var sums: [Double] { [sum, squares, Double(count)] }

  mutating func add(_ other: TokenLosses) {
    sum += other.sum
    squares += other.squares
    count += other.count
  }

  /// Adds the rows of log-probabilities whose next token is scored. `positions` are the places of the rows in `sequence`.
  mutating func add(_ logProbabilities: Matrix, positions: Range<Int>, of sequence: [Int]) {
    let first = sequence.count / 2
    for position in positions where position >= first && position + 1 < sequence.count {
      let loss = -Double(logProbabilities[position - positions.lowerBound][sequence[position + 1]])
      sum += loss
      squares += loss * loss
      count += 1
    }
  }

  var perplexity: Perplexity {
    let tokens = Double(max(count, 1))
    let mean = sum / tokens
    let variance = max(0, squares / tokens - mean * mean)
    let error = count > 1 ? (variance / (tokens - 1)).squareRoot() : 0
    return Perplexity(
      value: exp(mean), standardError: exp(mean) * error, meanLoss: mean, scoredTokenCount: count)
  }
}
