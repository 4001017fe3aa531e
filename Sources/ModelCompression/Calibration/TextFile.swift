internal import TensorFormats

/// A file of documents: UTF-8 text, which is one document, or JSON lines with a field of text, a document each.
public struct TextFile {
  public let documents: [String]

  /// - Parameter field: the name of the field in JSON lines, files whose name ends in `.jsonl`.
  public init(path: String, field: String = "text") throws {
    let bytes = try FileSystem.read(path)
    guard path.hasSuffix(".jsonl") else {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw CompressionError(.notEnoughText, "'\(path)' is not UTF-8 text")
      }
      documents = [text]
      return
    }
    documents = try bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated().compactMap {
      guard !$1.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) else { return nil }
      let where_ = "'\(path)' line \($0 + 1)"
      guard let object = try? JSON(parsing: Array($1)).object else {
        throw CompressionError(.notEnoughText, "\(where_): expected a JSON object")
      }
      guard let text = object[field]?.string else {
        throw CompressionError(.notEnoughText, "\(where_): expected a field '\(field)' of text")
      }
      return text
    }
  }
}
