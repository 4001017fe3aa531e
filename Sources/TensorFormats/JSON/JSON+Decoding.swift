extension JSON {
  /// Reads a value; the error names the path to what is missing or of the wrong type.
  public func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
    try JSONValueDecoder(json: self, codingPath: []).decode(type)
  }
}

struct JSONValueDecoder: Decoder {
  let json: JSON
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard let object = json.object else { throw wrongType(JSONObject.self, "an object") }
    return KeyedDecodingContainer(KeyedContainer<Key>(object: object, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard let array = json.array else { throw wrongType([JSON].self, "an array") }
    return UnkeyedContainer(array: array, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { SingleContainer(decoder: self) }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    switch type {
    case is JSON.Type: return json as! Value
    case is Bool.Type: return try leaf(json.bool, "true or false")
    case is String.Type: return try leaf(json.string, "a string")
    case is Double.Type: return try leaf(json.double, "a number")
    case is Float.Type: return try leaf(json.double.map(Float.init), "a number")
    case let integer as any FixedWidthInteger.Type:
      return try leaf(json.number.flatMap { integer.init($0.text) as? Value }, "an integer")
    default: return try type.init(from: self)
    }
  }

  private func leaf<Leaf, Value>(_ leaf: Leaf?, _ expected: String) throws -> Value {
    guard let value = leaf as? Value else { throw wrongType(Value.self, expected) }
    return value
  }

  func wrongType(_ type: Any.Type, _ expected: String) -> DecodingError {
    let text = json.serialized()
    let found = text.utf8.count > 80 ? text.prefix(77) + "..." : text[...]
    return .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "expected \(expected), found \(found)"))
  }
}

private struct KeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let object: JSONObject
  let codingPath: [any CodingKey]
  var allKeys: [Key] { object.keys.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { object[key.stringValue] != nil }
  func decodeNil(forKey key: Key) throws -> Bool { object[key.stringValue]?.isNull ?? true }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try member(key).decode(type) }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> { try member(key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try member(key).unkeyedContainer()
  }
  func superDecoder() throws -> any Decoder { JSONValueDecoder(json: object["super"] ?? .null, codingPath: codingPath) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }

  private func member(_ key: Key) throws -> JSONValueDecoder {
    guard let value = object[key.stringValue] else {
      throw DecodingError.keyNotFound(
        key, .init(codingPath: codingPath, debugDescription: "member '\(key.stringValue)' is missing"))
    }
    return JSONValueDecoder(json: value, codingPath: codingPath + [key])
  }
}

private struct UnkeyedContainer: UnkeyedDecodingContainer {
  let array: [JSON]
  let codingPath: [any CodingKey]
  var currentIndex = 0
  var count: Int? { array.count }
  var isAtEnd: Bool { currentIndex == array.count }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, array[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next().decode(type) }
  mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    try next().container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
  mutating func superDecoder() throws -> any Decoder { try next() }

  private mutating func next() throws -> JSONValueDecoder {
    guard !isAtEnd else {
      throw DecodingError.valueNotFound(
        JSON.self, .init(codingPath: codingPath, debugDescription: "the array has only \(array.count) elements"))
    }
    defer { currentIndex += 1 }
    return JSONValueDecoder(json: array[currentIndex], codingPath: codingPath)
  }
}

private struct SingleContainer: SingleValueDecodingContainer {
  let decoder: JSONValueDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.json.isNull }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.decode(type) }
}

extension JSON: Decodable {
  /// Takes the value as it is from `JSON.decoded(as:)`; other decoders do not say what kind of value they hold.
  public init(from decoder: any Decoder) throws {
    guard let decoder = decoder as? JSONValueDecoder else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "a JSON value is read only from JSON"))
    }
    self = decoder.json
  }
}
