extension JSON: Codable {
  /// Takes the value as it is from `JSON.decoded(as:)`; other decoders do not say what kind of value they hold.
  public init(from decoder: any Decoder) throws {
    guard let decoder = decoder as? JSONValueDecoder else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "a JSON value is read only from JSON"))
    }
    self = decoder.json
  }

  /// Encodes the value member by member. (`JSON(encoding:)` takes it as it is, number spelling included.)
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .array(let elements):
      var container = encoder.unkeyedContainer()
      for element in elements { try container.encode(element) }
    case .object(let members):
      var container = encoder.container(keyedBy: MemberKey.self)
      for (key, value) in members { try container.encode(value, forKey: MemberKey(stringValue: key)) }
    case .null, .bool, .number, .string:
      var container = encoder.singleValueContainer()
      try encodeLeaf(to: &container)
    }
  }

  private func encodeLeaf(to container: inout any SingleValueEncodingContainer) throws {
    switch self {
    case .bool(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .number(let value):
      if let int = value.int {
        try container.encode(int)
      } else if let uint64 = value.uint64 {
        try container.encode(uint64)
      } else {
        try container.encode(value.double)
      }
    case .null, .array, .object: try container.encodeNil()
    }
  }
}

private struct MemberKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
