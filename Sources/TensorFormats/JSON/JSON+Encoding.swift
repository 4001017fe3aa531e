internal import OrderedCollections

extension JSON {
  /// Encodes a value; members stand in the order in which the value encodes them, those of dictionaries in ascending order, so that
  /// equal values give equal bytes.
  ///
  /// Numbers that JSON has no spelling for (infinities, NaN) become null.
  public init(encoding value: some Encodable) throws {
    let node = JSONNode()
    try node.store(value, codingPath: [])
    self = node.json
  }
}

extension JSON: Encodable {
  /// Within ``init(encoding:)`` the value is kept as it is. Another encoder gets what it can hold: an integer where the
  /// spelling is one that fits, else a double.
  public func encode(to encoder: any Encoder) throws {
    if let own = encoder as? JSONValueEncoder {
      own.node.content = .value(self)
      return
    }
    switch self {
    case .null: try encodeLeaf(nil as Bool?, to: encoder)
    case .bool(let value): try encodeLeaf(value, to: encoder)
    case .string(let value): try encodeLeaf(value, to: encoder)
    case .number(let number):
      if let value = number.int {
        try encodeLeaf(value, to: encoder)
      } else if let value = number.uint64 {
        try encodeLeaf(value, to: encoder)
      } else {
        try encodeLeaf(number.double, to: encoder)
      }
    case .array(let elements):
      var container = encoder.unkeyedContainer()
      for element in elements { try container.encode(element) }
    case .object(let members):
      var container = encoder.container(keyedBy: MemberKey.self)
      for (key, value) in members { try container.encode(value, forKey: MemberKey(stringValue: key)) }
    }
  }

  private func encodeLeaf(_ value: some Encodable, to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }

  private struct MemberKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

/// A value under construction; containers of one value write into the same node.
private final class JSONNode {
  enum Content {
    case value(JSON)
    case array([JSONNode])
    case object(OrderedDictionary<String, JSONNode>)
  }

  var content = Content.value(.null)

  var json: JSON {
    switch content {
    case .value(let value): value
    case .array(let nodes): .array(nodes.map(\.json))
    case .object(let nodes): .object(JSONObject(uniqueKeysWithValues: nodes.map { ($0.key, $0.value.json) }))
    }
  }

  func member(_ key: String) -> JSONNode {
    let node = JSONNode()
    if case .object(var members) = content {
      content = .value(.null)
      members[key] = node
      content = .object(members)
    } else {
      content = .object([key: node])
    }
    return node
  }

  func element() -> JSONNode {
    let node = JSONNode()
    if case .array(var elements) = content {
      content = .value(.null)
      elements.append(node)
      content = .array(elements)
    } else {
      content = .array([node])
    }
    return node
  }

  /// Stores a leaf, or hands a nested value its own encoder.
  func store<Value: Encodable>(_ value: Value, codingPath: [any CodingKey]) throws {
    if let leaf = Self.leaf(value) {
      content = .value(leaf)
    } else {
      try value.encode(to: JSONValueEncoder(node: self, codingPath: codingPath))
      if value is any UnorderedMembers { sortMembers() }
    }
  }

  private func sortMembers() {
    guard case .object(var members) = content else { return }
    members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    content = .object(members)
  }

  private static func leaf(_ value: some Encodable) -> JSON? {
    switch value {
    case let value as JSON: value
    case let value as Bool: .bool(value)
    case let value as String: .string(value)
    case let value as Double: value.isFinite ? .double(value) : .null
    case let value as Float: value.isFinite ? .number(JSONNumber(value)) : .null
    case let value as UInt64: .number(JSONNumber(value))
    case let value as any BinaryInteger: .number(JSONNumber(text: value.description))
    default: nil
    }
  }
}

/// Dictionaries, whose order differs from run to run.
private protocol UnorderedMembers {}
extension Dictionary: UnorderedMembers {}

private struct JSONValueEncoder: Encoder {
  let node: JSONNode
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .object = node.content {} else { node.content = .object([:]) }
    return KeyedEncodingContainer(KeyedContainer<Key>(node: node, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if case .array = node.content {} else { node.content = .array([]) }
    return UnkeyedContainer(node: node, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    SingleContainer(node: node, codingPath: codingPath)
  }
}

private struct KeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: JSONNode
  let codingPath: [any CodingKey]

  mutating func encodeNil(forKey key: Key) { node.member(key.stringValue).content = .value(.null) }
  mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    try node.member(key.stringValue).store(value, codingPath: codingPath + [key])
  }
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy keyType: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> { nested(key).container(keyedBy: keyType) }
  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    nested(key).unkeyedContainer()
  }
  mutating func superEncoder() -> any Encoder {
    JSONValueEncoder(node: node.member("super"), codingPath: codingPath)
  }
  mutating func superEncoder(forKey key: Key) -> any Encoder { nested(key) }

  private func nested(_ key: Key) -> JSONValueEncoder {
    JSONValueEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key])
  }
}

private struct UnkeyedContainer: UnkeyedEncodingContainer {
  let node: JSONNode
  let codingPath: [any CodingKey]
  var count: Int { if case .array(let elements) = node.content { elements.count } else { 0 } }

  mutating func encodeNil() { node.element().content = .value(.null) }
  mutating func encode<Value: Encodable>(_ value: Value) throws {
    try node.element().store(value, codingPath: codingPath)
  }
  mutating func nestedContainer<Key: CodingKey>(keyedBy keyType: Key.Type) -> KeyedEncodingContainer<Key> {
    nested().container(keyedBy: keyType)
  }
  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
  mutating func superEncoder() -> any Encoder { nested() }

  private func nested() -> JSONValueEncoder { JSONValueEncoder(node: node.element(), codingPath: codingPath) }
}

private struct SingleContainer: SingleValueEncodingContainer {
  let node: JSONNode
  let codingPath: [any CodingKey]

  mutating func encodeNil() { node.content = .value(.null) }
  mutating func encode<Value: Encodable>(_ value: Value) throws { try node.store(value, codingPath: codingPath) }
}
