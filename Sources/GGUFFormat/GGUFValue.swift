/// One metadata value of a GGUF file.
public enum GGUFValue: Hashable, Sendable {
  case uint8(UInt8)
  case int8(Int8)
  case uint16(UInt16)
  case int16(Int16)
  case uint32(UInt32)
  case int32(Int32)
  case float32(Float)
  case bool(Bool)
  case string(GGUFString)
  case array(GGUFArray)
  case uint64(UInt64)
  case int64(Int64)
  case float64(Double)

  public init(_ text: String) { self = .string(GGUFString(text)) }
  public init(_ strings: [String]) { self = .array(GGUFArray(strings)) }
  public init(_ values: [Int32]) { self = .array(GGUFArray(values)) }
  public init(_ values: [Float]) { self = .array(GGUFArray(values)) }

  public var type: GGUFValueType {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .float32: .float32
    case .bool: .bool
    case .string: .string
    case .array: .array
    case .uint64: .uint64
    case .int64: .int64
    case .float64: .float64
    }
  }
}

// Writers disagree about integer widths (`u32` here, `i32` or `u64` there), so readers ask for the meaning, not the type.
extension GGUFValue {
  /// The value of any integer type; nil for other types or if it does not fit.
  public var int: Int? {
    switch self {
    case .uint8(let value): Int(value)
    case .int8(let value): Int(value)
    case .uint16(let value): Int(value)
    case .int16(let value): Int(value)
    case .uint32(let value): Int(value)
    case .int32(let value): Int(value)
    case .uint64(let value): Int(exactly: value)
    case .int64(let value): Int(exactly: value)
    case .float32, .float64, .bool, .string, .array: nil
    }
  }

  /// The value of any number type; nil for other types or for an integer that a `Double` cannot hold.
  public var double: Double? {
    switch self {
    case .float32(let value): Double(value)
    case .float64(let value): value
    case .uint64(let value): Double(exactly: value)
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .int64: int.flatMap { Double(exactly: $0) }
    case .bool, .string, .array: nil
    }
  }

  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The text of a string; nil for other types and for bytes that are not UTF-8 (see `rawString`).
  public var string: String? { rawString?.text }

  /// The bytes of a string; nil for other types.
  public var rawString: GGUFString? {
    if case .string(let value) = self { value } else { nil }
  }

  public var array: GGUFArray? {
    if case .array(let value) = self { value } else { nil }
  }

  /// All texts of an array of strings; nil for other types and if one of them is not UTF-8 (see `rawStrings`).
  public var strings: [String]? { array?.strings }
  /// All strings of an array of strings, byte for byte; nil for other types.
  public var rawStrings: [GGUFString]? { array?.rawStrings }
  /// All numbers of an array of any integer type; nil for other types or if one does not fit.
  public var ints: [Int]? { array?.ints }
  /// All numbers of an array of 32-bit floats; nil for other types.
  public var floats: [Float]? { array?.floats }
  /// All numbers of an array of floats of either width; nil for other types.
  public var doubles: [Double]? { array?.doubles }
  public var bools: [Bool]? { array?.bools }
}

extension GGUFValue: CustomStringConvertible {
  /// One line for display; an array is its type and size.
  public var description: String {
    switch self {
    case .uint8(let value): "\(value)"
    case .int8(let value): "\(value)"
    case .uint16(let value): "\(value)"
    case .int16(let value): "\(value)"
    case .uint32(let value): "\(value)"
    case .int32(let value): "\(value)"
    case .uint64(let value): "\(value)"
    case .int64(let value): "\(value)"
    case .float32(let value): "\(value)"
    case .float64(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .string(let value): value.description
    case .array(let value): value.description
    }
  }
}
