/// A pass that cannot be run on what it was given.
public struct ComputeError: Error, Equatable, CustomStringConvertible {
  public enum Code: Sendable {
    /// A token id outside the vocabulary.
    case token
    /// A weight or matrix whose shape is not the one that the architecture gives it.
    case shape
    /// Hyperparameters that no model can have.
    case hyperparameters
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public static func == (a: Self, b: Self) -> Bool { a.code == b.code }
  public var description: String { message }
}
