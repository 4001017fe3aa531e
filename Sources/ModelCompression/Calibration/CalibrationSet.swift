internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute
internal import ModelTokenizers
public import TensorFormats

/// Token sequences that a model is run on.
public struct CalibrationSet: Sendable {
  public let sequences: [[Int]]

  public var tokenCount: Int { sequences.reduce(0) { $0 + $1.count } }

  /// Tokens of the longest sequence.
  public var longestSequence: Int { sequences.map(\.count).max() ?? 0 }

  public init(sequences: [[Int]]) { self.sequences = sequences }

  /// `count` of the sequences at equal distances, in an order that has the first few from all over the set, too: by the digits of their
  /// number from the lowest on (van der Corput). All of them, in their order, if there are no more.
  public func spread(to count: Int) -> CalibrationSet {
    guard count < sequences.count else { return self }
    let order = (0..<UInt(max(count, 0))).sorted { $0.reversedBits < $1.reversedBits }
    return CalibrationSet(sequences: order.map { sequences[Int($0) * sequences.count / count] })
  }

  /// A hash of the tokens and of where a sequence ends: of each sequence a line, ids separated by spaces.
  public var contentHash: ContentHash {
    var hasher = ContentHasher()
    for sequence in sequences { hasher.update(sequence.map(String.init).joined(separator: " ") + "\n") }
    return hasher.finalized()
  }

  /// Cuts a text into at most `limit` sequences of `context` tokens; what is left over at the end is not used.
  ///
  /// Models that begin with a special token get it before the text and in place of the first token of each further sequence, as in
  /// llama-perplexity, so that every sequence is a legal input and no token is counted twice.
  public init(text: String, model: Checkpoint, context: Int, limit: Int?, beginsSequences: Bool = true) throws {
    guard let description = try model.tokenizerDescription() else {
      throw CompressionError(.notEnoughText, "'\(model.path)' has no tokenizer to read text with")
    }
    let tokenizer = try Tokenizer(description)
    let beginning = beginsSequences && description.addsBeginning ? description.beginningToken : nil
    let tokens =
      (beginning.map { [$0] } ?? []) + tokenizer.encode(text, addsSpecialTokens: false, parsesSpecialTokens: false)
    let count = min(tokens.count / context, limit ?? .max)
    guard count > 0 else {
      throw CompressionError(
        .notEnoughText,
        "the text has \(tokens.count) tokens, expected at least one sequence of \(context); give more text or a shorter context"
      )
    }
    sequences = (0..<count).map { index in
      var sequence = Array(tokens[index * context..<(index + 1) * context])
      if let beginning { sequence[0] = beginning }
      return sequence
    }
    try model.checkTokens(sequences)
  }
}

extension UInt {
  /// The lowest bit is the highest.
  fileprivate var reversedBits: UInt {
    (0..<UInt.bitWidth).reduce(0) { $0 << 1 | (self >> $1 & 1) }
  }
}

extension Checkpoint {
  /// `context`, or the longest sequence that the model was made for if that is shorter.
  public func limited(context: Int) -> Int {
    let limit = hyperparameters.contextLength
    return limit > 0 ? min(context, limit) : context
  }

  /// Throws for a token that the embedding has no row for.
  public func checkTokens(_ sequences: [[Int]]) throws {
    let size = hyperparameters.vocabularySize
    for sequence in sequences {
      if let token = sequence.first(where: { $0 < 0 || $0 >= size }) {
        throw CompressionError(.invalidTokens, "token \(token) is not in the vocabulary of \(size)")
      }
    }
  }
}

extension CalibrationSet {
  /// Token ids from a fixed seed, for a model without text or tokenizer: good to compare two models, not to judge one.
  /// Sequences are as long as the model's own context if that is shorter.
  public static func random(for model: Checkpoint, context: Int, count: Int = 4) -> CalibrationSet {
    var generator = SplitMix64(seed: 0x6D74_636F_6E76)
    let size = model.hyperparameters.vocabularySize
    let context = model.limited(context: context)
    return CalibrationSet(
      sequences: (0..<count).map { _ in (0..<context).map { _ in Int.random(in: 0..<size, using: &generator) } })
  }
}
