internal import OrderedCollections
internal import TensorFormats

/// The tokens that `post_processor` puts around a single text.
enum SpecialTokenTemplate: Equatable {
  case none
  case around(beginning: String?, end: String?)
  case unsupported(String)

  /// `null`, `ByteLevel` (which only shifts offsets), `TemplateProcessing` of at most one token on each side, or a sequence.
  init(json: JSON?) {
    guard let json, !json.isNull else {
      self = .none
      return
    }
    let parts = json["type"]?.string == "Sequence" ? json["processors"]?.array ?? [] : [json]
    self = .none
    for part in parts {
      switch part["type"]?.string {
      case "ByteLevel": continue
      case "TemplateProcessing" where self == .none: self = Self.readTemplate(part)
      default: self = .unsupported(part["type"]?.string ?? "without a type")
      }
    }
  }

  private static func readTemplate(_ json: JSON) -> Self {
    var before: [String] = []
    var after: [String] = []
    var textCount = 0
    for piece in json["single"]?.array ?? [] {
      if let token = piece["SpecialToken"]?["id"]?.string {
        if textCount == 0 { before.append(token) } else { after.append(token) }
      } else if piece["Sequence"] != nil {
        textCount += 1
      }
    }
    guard textCount == 1, before.count <= 1, after.count <= 1 else {
      return .unsupported("TemplateProcessing \(json["single"]?.serialized() ?? "without 'single'")")
    }
    return before.isEmpty && after.isEmpty ? .none : .around(beginning: before.first, end: after.first)
  }

  /// `post_processor` for these tokens, each with its id.
  static func json(beginning: (String, Int)?, end: (String, Int)?) -> JSON {
    let byteLevel: JSON = ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true]
    if beginning == nil && end == nil { return byteLevel }
    var tokens: JSONObject = [:]
    for case let (text, id)? in [beginning, end] {
      tokens[text] = ["id": .string(text), "ids": [.int(id)], "tokens": [.string(text)]]
    }
    func around(_ text: String, _ type: Int) -> [JSON] {
      let pieces = [
        beginning.map { piece("SpecialToken", $0.0, type) }, piece("Sequence", text, type),
        end.map { piece("SpecialToken", $0.0, type) },
      ]
      return pieces.compactMap { $0 }
    }
    let template: JSON = [
      "type": "TemplateProcessing", "single": .array(around("A", 0)), "pair": .array(around("A", 0) + around("B", 1)),
      "special_tokens": .object(tokens),
    ]
    return ["type": "Sequence", "processors": [byteLevel, template]]
  }

  private static func piece(_ kind: String, _ id: String, _ type: Int) -> JSON {
    .object([kind: ["id": .string(id), "type_id": .int(type)]])
  }
}
