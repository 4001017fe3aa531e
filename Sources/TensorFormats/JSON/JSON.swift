/// A JSON value that keeps what Foundation's loses: key order, number spelling and the knowledge that a key stood twice.
public enum JSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSON])
  case object(JSONObject)
}

/// A JSON number as it is spelled: `1e-05` and `1000000.0` survive a round trip.
public struct JSONNumber: Hashable, Sendable {
  public let text: String

  init(text: String) { self.text = text }
  public init(_ value: Int) { text = String(value) }
  public init(_ value: UInt64) { text = String(value) }

  /// The shortest spelling that reads back as the same double; infinite and NaN values have none and trap.
  public init(_ value: Double) {
    precondition(value.isFinite, "JSON has no spelling for \(value)")
    text = value.description
  }

  /// The shortest decimal that reads back as the same 32-bit float, for values that were stored as one.
  public init(_ value: Float) {
    precondition(value.isFinite, "JSON has no spelling for \(value)")
    text = value.description
  }

  /// The exact value, if it is spelled as an integer (no fraction, no exponent) that fits.
  public var int: Int? { Int(text) }
  public var uint64: UInt64? { UInt64(text) }
  public var double: Double { Double(text) ?? .nan }
  public var isInteger: Bool { !text.utf8.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") } }
}

extension JSON {
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }
  public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
  public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
  public var isNull: Bool { self == .null }

  /// An exact integer: `3` is one; `3.0` and `3e0` are not.
  public var int: Int? { number?.int }
  public var double: Double? { number?.double }

  /// The member of an object, nil for other values.
  public subscript(key: String) -> JSON? { object?[key] }

  public static func int(_ value: Int) -> JSON { .number(JSONNumber(value)) }
  public static func double(_ value: Double) -> JSON { .number(JSONNumber(value)) }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(nilLiteral: ()) { self = .null }
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(JSONObject(uniqueKeysWithValues: elements))
  }
}
