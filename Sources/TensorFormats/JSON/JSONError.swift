/// Why a text is not JSON, and at which byte.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  public enum Code: Sendable {
    case syntax, depth, duplicateKey, invalidUTF8, invalidEscape, trailingBytes
  }

  public let code: Code
  public let message: String
  /// Byte offset from the start of the text.
  public let offset: Int

  public static func == (a: Self, b: Self) -> Bool { a.code == b.code }
  public var description: String { "\(message) at byte \(offset)" }
}
