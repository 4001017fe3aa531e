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
