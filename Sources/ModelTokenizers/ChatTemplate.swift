/// A chat template with a name: what a tokenizer_config.json lists, or a file of `additional_chat_templates`.
public struct ChatTemplate: Sendable, Hashable {
  public var name: String
  /// In the language of Jinja.
  public var text: String

  public init(name: String, text: String) {
    self.name = name
    self.text = text
  }

  /// What the template without a name is called where all have one.
  public static let defaultName = "default"

  /// The name as a part of a GGUF key: letters and digits of ASCII, and `_` for all else, as gguf-py writes it.
  public var ggufName: String {
    String(
      String.UnicodeScalarView(
        name.unicodeScalars.map { scalar in
          switch scalar {
          case "a"..."z", "A"..."Z", "0"..."9": scalar
          default: "_"
          }
        }))
  }
}
