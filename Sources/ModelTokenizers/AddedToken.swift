/// A token that is cut out of the text before the model sees it, as an entry of `added_tokens` in tokenizer.json.
public struct AddedToken: Hashable, Sendable {
  public var id: Int
  public var content: String
  /// Steers the model: left out of decoded text on request, and matched only where special tokens are parsed.
  public var isSpecial: Bool
  /// Takes the white space before it along.
  public var stripsLeft: Bool
  /// Takes the white space after it along.
  public var stripsRight: Bool
  /// Is looked for in the normalized text, not in the text as given.
  public var isNormalized: Bool
  /// Matches only where no word character touches it.
  public var isSingleWord: Bool

  public init(
    id: Int, content: String, isSpecial: Bool = true, stripsLeft: Bool = false, stripsRight: Bool = false,
    isNormalized: Bool = false, isSingleWord: Bool = false
  ) {
    self.id = id
    self.content = content
    self.isSpecial = isSpecial
    self.stripsLeft = stripsLeft
    self.stripsRight = stripsRight
    self.isNormalized = isNormalized
    self.isSingleWord = isSingleWord
  }
}
