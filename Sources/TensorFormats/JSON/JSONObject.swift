internal import OrderedCollections

/// The members of a JSON object in file order. Keys are equal only if their bytes are; see `UTF8Key`.
public struct JSONObject: Sendable {
  public typealias Element = (key: String, value: JSON)

  private var members: OrderedDictionary<UTF8Key, JSON> = [:]

  public init() {}

  /// The members in the order given. A key that stands twice is a mistake of the caller and traps.
  public init(uniqueKeysWithValues elements: some Sequence<(String, JSON)>) {
    members = OrderedDictionary(uniqueKeysWithValues: elements.lazy.map { (UTF8Key($0), $1) })
  }

  /// The value of a key. Setting a new key appends it; setting nil removes the member.
  public subscript(key: String) -> JSON? {
    get { members[UTF8Key(key)] }
    set { members[UTF8Key(key)] = newValue }
  }

  /// Sets a value and returns the one that stood there.
  @discardableResult
  public mutating func updateValue(_ value: JSON, forKey key: String) -> JSON? {
    members.updateValue(value, forKey: UTF8Key(key))
  }

  /// Removes a member and returns its value; the order of the others stays.
  @discardableResult
  public mutating func removeValue(forKey key: String) -> JSON? { members.removeValue(forKey: UTF8Key(key)) }

  public mutating func reserveCapacity(_ count: Int) { members.reserveCapacity(count) }

  /// The keys in order.
  public var keys: [String] { members.keys.map(\.text) }
  /// The values in order.
  public var values: [JSON] { Array(members.values) }

  /// The same keys with other values.
  public func mapValues(_ transform: (JSON) throws -> JSON) rethrows -> JSONObject {
    var result = self
    result.members = try members.mapValues(transform)
    return result
  }

  /// Reorders the members.
  public mutating func sort(by precedes: (Element, Element) throws -> Bool) rethrows {
    try members.sort { try precedes((key: $0.key.text, value: $0.value), (key: $1.key.text, value: $1.value)) }
  }
}

extension JSONObject: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { members.count }
  public subscript(position: Int) -> Element {
    let member = members.elements[position]
    return (key: member.key.text, value: member.value)
  }
}

extension JSONObject: Hashable {}

extension JSONObject: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, JSON)...) { self.init(uniqueKeysWithValues: elements) }
}
