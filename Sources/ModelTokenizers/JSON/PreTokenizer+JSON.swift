internal import OrderedCollections
internal import TensorFormats

extension PreTokenizer {
  /// The row whose steps `pre_tokenizer` has, or `unsupported` with what was found.
  init(json: JSON?) {
    guard let json, !json.isNull else {
      self = .unsupported("none")
      return
    }
    let parts = json["type"]?.string == "Sequence" ? json["pretokenizers"]?.array ?? [] : [json]
    let steps = parts.compactMap { Step(json: $0) }
    let row = steps.count == parts.count ? Self.rows.first { $0.steps == steps } : nil
    self = row?.preTokenizer ?? .unsupported(json.serialized())
  }

  /// What `pre_tokenizer` says for this pattern; nil for an unsupported one.
  var json: JSON? {
    guard let steps = row?.steps else { return nil }
    if steps.count == 1 { return steps[0].json }
    return ["type": "Sequence", "pretokenizers": .array(steps.map(\.json))]
  }
}

extension PreTokenizer.Step {
  fileprivate init?(json: JSON) {
    switch json["type"]?.string {
    case "Digits":
      guard json["individual_digits"]?.bool == true else { return nil }
      self = .individualDigits
    case "Split":
      guard let pattern = json["pattern"]?["Regex"]?.string, json["behavior"]?.string == "Isolated",
        json["invert"]?.bool != true
      else { return nil }
      self = .split(pattern)
    case "ByteLevel":
      guard json["add_prefix_space"]?.bool == false else { return nil }
      self = .byteLevel(usesPattern: json["use_regex"]?.bool ?? true)
    default: return nil
    }
  }

  fileprivate var json: JSON {
    switch self {
    case .individualDigits: ["type": "Digits", "individual_digits": true]
    case .split(let pattern):
      ["type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated", "invert": false]
    case .byteLevel(let usesPattern):
      ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": .bool(usesPattern)]
    }
  }
}

extension TextNormalizer {
  /// `null`, an empty sequence, `NFC`, or a sequence of nothing but `NFC`.
  init(json: JSON?) {
    guard let json, !json.isNull else {
      self = .none
      return
    }
    let parts = json["type"]?.string == "Sequence" ? json["normalizers"]?.array ?? [] : [json]
    if parts.isEmpty {
      self = .none
    } else if parts.allSatisfy({ $0["type"]?.string == "NFC" }) {
      self = .nfc
    } else {
      self = .unsupported(json.serialized())
    }
  }

  var json: JSON {
    switch self {
    case .none, .unsupported: .null
    case .nfc: ["type": "NFC"]
    }
  }
}
