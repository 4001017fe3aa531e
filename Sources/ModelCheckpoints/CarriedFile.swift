internal import ModelTokenizers
internal import TensorFormats

/// A small file of a model directory that is passed on as it is: tokenizer, chat templates, licence, card.
public struct CarriedFile: Sendable {
  public let name: String
  private let content: Content

  private enum Content: Sendable {
    case path(String)
    case bytes([UInt8])
  }

  init(name: String, path: String) {
    self.name = name
    content = .path(path)
  }

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    content = .bytes(bytes)
  }

  public func bytes() throws -> [UInt8] {
    switch content {
    case .path(let path): try FileSystem.read(path, limit: CarriedFile.limit)
    case .bytes(let bytes): bytes
    }
  }

  static let limit = 256 << 20

  /// Whether a file beside the weights belongs to the model and is neither weights nor code.
  static func isCarried(_ name: String) -> Bool {
    if name.hasPrefix(".") { return false }
    if name.contains("/") { return namedTemplate(name) != nil }
    if ["config.json", "generation_config.json", recipeName].contains(name) || name.hasSuffix(".index.json") {
      return false
    }
    // Of plain text files only those with a meaning: a vocabulary, or a licence.
    if ["merges.txt", "vocab.txt"].contains(name) { return true }
    if isLicence(name) { return true }
    return [".json", ".jinja", ".md", ".model"].contains { name.hasSuffix($0) }
  }

  /// A licence or what belongs to one.
  static func isLicence(_ name: String) -> Bool {
    ["LICENSE", "LICENCE", "NOTICE", "USE_POLICY"].contains(where: name.hasPrefix)
  }

  /// The only folder that is carried: chat templates with names.
  static let templateFolder = "additional_chat_templates"

  /// What the chat template in this file is called; nil for any other file.
  var chatTemplateName: String? {
    name == "chat_template.jinja" ? ChatTemplate.defaultName : Self.namedTemplate(name)
  }

  private static func namedTemplate(_ name: String) -> String? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == templateFolder, parts[1].hasSuffix(".jinja"), !parts[1].hasPrefix(".") else {
      return nil
    }
    return String(parts[1].dropLast(".jinja".count))
  }

  /// The model card of the Hugging Face hub.
  public static let cardName = "README.md"
  /// The card of the model that this one was made from.
  public static let parentCardName = "PARENT_README.md"
  /// Our own record of how a checkpoint was made.
  public static let recipeName = "mtconv.json"
}
