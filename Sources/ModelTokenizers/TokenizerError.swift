/// Why a tokenizer description is refused. Two errors are equal if their codes are.
public struct TokenizerError: Error, Equatable, CustomStringConvertible {
  public enum Code: Sendable {
    /// A field is absent, or is of another kind than the format says.
    case malformed
    /// A kind of model, normalizer, pre-tokenizer, post-processor or decoder that this library does not run.
    case unsupported
    /// A token id below zero, beyond the vocabulary, or so high that the vocabulary would be mostly holes.
    case idOutOfRange
    /// One id is given to two tokens.
    case duplicateID
    /// One text stands at two ids.
    case duplicateToken
    /// The vocabulary and the added tokens disagree about a token.
    case conflictingToken
    /// An added token without text, which would match everywhere.
    case emptyToken
    /// A merge that is not two parts.
    case malformedMerge
    /// A merge whose parts or whose result are not in the vocabulary.
    case unknownMergeToken
    /// Two parallel lists of different lengths.
    case countMismatch
  }

  public let code: Code
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public static func == (a: Self, b: Self) -> Bool { a.code == b.code }
  public var description: String { message }
}
