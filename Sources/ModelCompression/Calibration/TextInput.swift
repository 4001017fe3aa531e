internal import ModelCheckpoints
internal import TensorFormats

/// A file that token sequences are read from.
public struct TextInput: Sendable, Hashable {
  public var path: String
  public var kind: Kind

  public enum Kind: Sendable, Hashable {
    /// UTF-8 text, cut into sequences of equal length.
    case text
    /// A JSON object on each line, with a document in a field of plain text.
    case jsonLines(field: String)
    /// Token ids: a JSON array of arrays, or a sequence a line.
    case tokens
  }

  public init(path: String, kind: Kind) {
    self.path = path
    self.kind = kind
  }

  public static let defaultField = "text"

  /// A file whose name says what it holds: `.jsonl` and `.ndjson` are JSON lines, `.json`, `.tokens` and `.ids` token ids, all others
  /// text.
  public init(path: String, field: String = defaultField) {
    let name = FileSystem.baseName(path).lowercased()
    let kind: Kind =
      if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
        .jsonLines(field: field)
      } else if [".json", ".tokens", ".ids"].contains(where: name.hasSuffix) {
        .tokens
      } else {
        .text
      }
    self.init(path: path, kind: kind)
  }
}

extension TextInput {
  /// All of a file of UTF-8 text.
  func text() throws -> String {
    guard let text = String(validating: try FileSystem.read(path).withoutByteOrderMark, as: UTF8.self) else {
      throw CompressionError(.notEnoughText, "not UTF-8 text")
    }
    return text
  }
}

extension Collection<UInt8> {
  /// What follows the mark that some editors put at the beginning of UTF-8: it is no part of the text.
  var withoutByteOrderMark: SubSequence { starts(with: [0xEF, 0xBB, 0xBF]) ? dropFirst(3) : self[...] }
}
