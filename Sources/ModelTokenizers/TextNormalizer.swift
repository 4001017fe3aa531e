/// What happens to the text between the added tokens before it is split into words.
public enum TextNormalizer: Hashable, Sendable {
  case none
  /// Unicode normalization form C, as Qwen's tokenizers use.
  case nfc
  /// Any other, by its name in the file.
  case unsupported(String)
}
