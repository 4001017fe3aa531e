/// Token sequences that go through a pass together: the rows of its matrices are all their tokens, one sequence after another.
public struct TokenBatch: Sendable {
  /// The tokens of all sequences.
  public let tokens: [Int]
  /// The rows of each sequence.
  public let sequences: [Range<Int>]
  /// The position of the first token of every sequence: 0 unless a key-value state holds what came before.
  public let positionOffset: Int

  public init(_ sequences: [[Int]], positionOffset: Int = 0) {
    var end = 0
    self.sequences = sequences.map { sequence in
      defer { end += sequence.count }
      return end..<end + sequence.count
    }
    tokens = Array(sequences.joined())
    self.positionOffset = positionOffset
  }

  private init(_ batch: TokenBatch, _ range: Range<Int>, rows: Range<Int>) {
    tokens = Array(batch.tokens[rows])
    sequences = batch.sequences[range].map { $0.lowerBound - rows.lowerBound..<$0.upperBound - rows.lowerBound }
    positionOffset = batch.positionOffset
  }

  public var rows: Int { tokens.count }

  /// The position in its sequence of each token.
  public var positions: [Int] {
    sequences.flatMap { positionOffset..<positionOffset + $0.count }
  }

  /// The batch of some of the sequences.
  public subscript(sequences range: Range<Int>) -> TokenBatch {
    TokenBatch(self, range, rows: rows(ofSequences: range))
  }

  /// The rows of neighbouring sequences.
  public func rows(ofSequences range: Range<Int>) -> Range<Int> {
    guard let first = range.first, let last = range.last else { return 0..<0 }
    return sequences[first].lowerBound..<sequences[last].upperBound
  }

  /// Batches of neighbouring sequences with at most `rows` tokens in each; a longer sequence is a batch of its own.
  public func split(rows: Int = TokenBatch.rowsAtOnce) -> [TokenBatch] {
    groups(ofRows: rows).map { self[sequences: $0] }
  }

  /// Neighbouring sequences in groups of at most `rows` tokens; a longer sequence is a group of its own.
  func groups(ofRows rows: Int) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var first = 0
    var count = 0
    for (index, sequence) in sequences.enumerated() {
      if index > first && count + sequence.count > rows {
        groups.append(first..<index)
        (first, count) = (index, 0)
      }
      count += sequence.count
    }
    if first < sequences.count { groups.append(first..<sequences.count) }
    return groups
  }
}
