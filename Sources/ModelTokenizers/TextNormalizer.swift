/// What happens to the text between the added tokens before it is split into words.
public enum TextNormalizer: Hashable, Sendable {
  case none
  /// Unicode normalization form C, as Qwen's tokenizers use.
  case nfc
  /// Any other, by its name in the file.
  case unsupported(String)
}

extension TextNormalizer {
  /// The normalized form of UTF-8.
  func normalize(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBufferPointer { changed($0) } ?? bytes }

  /// The normalized form of UTF-8, or nil if it surely is the same.
  func changed(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    switch self {
    case .none, .unsupported: nil
    case .nfc: CanonicalComposition.normalized(bytes)
    }
  }
}
