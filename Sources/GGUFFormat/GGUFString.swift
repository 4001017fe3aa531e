/// A string of a GGUF file: bytes that are usually, but not necessarily, UTF-8.
///
/// Some vocabularies hold tokens that are parts of a character, so the bytes are kept as they are. Two strings are equal when
/// their bytes are (`String` compares canonically equivalent texts as equal, which would make two tokens one).
public struct GGUFString: Hashable, Sendable {
  public let bytes: [UInt8]

  public init(bytes: [UInt8]) { self.bytes = bytes }
  public init(_ text: String) { bytes = Array(text.utf8) }

  /// The text; nil if the bytes are not UTF-8.
  public var text: String? { String(validating: bytes, as: UTF8.self) }
}

extension GGUFString: ExpressibleByStringLiteral, CustomStringConvertible {
  public init(stringLiteral value: String) { self.init(value) }

  /// The text for display, with U+FFFD in place of what is not UTF-8.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
