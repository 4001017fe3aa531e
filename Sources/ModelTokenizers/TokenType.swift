/// What a token is for, with the numbers of GGUF's `tokenizer.ggml.token_type`.
public enum TokenType: Int32, Sendable, CaseIterable {
  case undefined = 0
  case normal = 1
  /// Stands for what the vocabulary cannot spell.
  case unknown = 2
  /// Steers the model and is never part of ordinary text: `<|im_start|>`.
  case control = 3
  /// Text that is always one token, whatever stands around it.
  case userDefined = 4
  /// A hole of the vocabulary: no text gives this id.
  case unused = 5
  /// One byte, in vocabularies that fall back to bytes.
  case byte = 6
}
