internal import OrderedCollections

extension JSON {
  /// Parses one JSON text (RFC 8259), refusing duplicate keys, lone surrogates and nesting deeper than 128.
  ///
  /// White space may stand around the value; nothing else may.
  public init(parsing bytes: UnsafeRawBufferPointer) throws(JSONError) {
    var parser = JSONParser(bytes: bytes)
    self = try parser.parseDocument()
  }

  public init(parsing bytes: [UInt8]) throws(JSONError) {
    let result: Result<JSON, JSONError> = bytes.withUnsafeBytes { raw in
      Result { () throws(JSONError) in try JSON(parsing: raw) }
    }
    self = try result.get()
  }

  public init(parsing text: String) throws(JSONError) {
    try self.init(parsing: Array(text.utf8))
  }
}

/// A recursive-descent parser over bytes. Recursion is bounded by `maximumDepth`.
struct JSONParser {
  static let maximumDepth = 128

  let bytes: UnsafeRawBufferPointer
  var position = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func parseDocument() throws(JSONError) -> JSON {
    let value = try parseValue(depth: 0)
    skipWhitespace()
    guard position == bytes.count else { throw failure(.trailingBytes, "unexpected bytes after the JSON value") }
    return value
  }

  private mutating func parseValue(depth: Int) throws(JSONError) -> JSON {
    guard depth < Self.maximumDepth else { throw failure(.depth, "nested deeper than \(Self.maximumDepth)") }
    skipWhitespace()
    guard let byte = peek else { throw failure(.syntax, "expected a value, found the end") }
    switch byte {
    case UInt8(ascii: "{"): return .object(try parseObject(depth: depth))
    case UInt8(ascii: "["): return .array(try parseArray(depth: depth))
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
    default: throw failure(.syntax, "expected a value, found \(describePeek)")
    }
  }

  private mutating func parseObject(depth: Int) throws(JSONError) -> JSONObject {
    position += 1
    var object = JSONObject()
    skipWhitespace()
    if consume(UInt8(ascii: "}")) { return object }
    while true {
      skipWhitespace()
      let start = position
      guard peek == UInt8(ascii: "\"") else { throw failure(.syntax, "expected a key, found \(describePeek)") }
      let key = try parseString()
      skipWhitespace()
      guard consume(UInt8(ascii: ":")) else { throw failure(.syntax, "expected ':', found \(describePeek)") }
      let value = try parseValue(depth: depth + 1)
      guard object.updateValue(value, forKey: key) == nil else {
        position = start
        throw failure(.duplicateKey, "key '\(key)' stands twice")
      }
      skipWhitespace()
      if consume(UInt8(ascii: "}")) { return object }
      guard consume(UInt8(ascii: ",")) else { throw failure(.syntax, "expected ',' or '}', found \(describePeek)") }
    }
  }

  private mutating func parseArray(depth: Int) throws(JSONError) -> [JSON] {
    position += 1
    var array: [JSON] = []
    skipWhitespace()
    if consume(UInt8(ascii: "]")) { return array }
    while true {
      array.append(try parseValue(depth: depth + 1))
      skipWhitespace()
      if consume(UInt8(ascii: "]")) { return array }
      guard consume(UInt8(ascii: ",")) else { throw failure(.syntax, "expected ',' or ']', found \(describePeek)") }
    }
  }

  private mutating func parseWord(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let length = word.utf8CodeUnitCount
    guard position + length <= bytes.count,
      (0..<length).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
    else { throw failure(.syntax, "expected '\(word)'") }
    position += length
    return value
  }

  // number = [ "-" ] int [ frac ] [ exp ]      (RFC 8259 §6)
  private mutating func parseNumber() throws(JSONError) -> JSONNumber {
    let start = position
    _ = consume(UInt8(ascii: "-"))
    if consume(UInt8(ascii: "0")) {
      if isDigit(peek) { throw failure(.syntax, "a number may not start with 0") }
    } else {
      try skipDigits()
    }
    if consume(UInt8(ascii: ".")) { try skipDigits() }
    if let byte = peek, byte | 0x20 == UInt8(ascii: "e") {
      position += 1
      if !consume(UInt8(ascii: "+")) { _ = consume(UInt8(ascii: "-")) }
      try skipDigits()
    }
    return JSONNumber(text: String(decoding: bytes[start..<position], as: UTF8.self))
  }

  private mutating func skipDigits() throws(JSONError) {
    guard isDigit(peek) else { throw failure(.syntax, "expected a digit, found \(describePeek)") }
    while isDigit(peek) { position += 1 }
  }

  // MARK: Strings

  private mutating func parseString() throws(JSONError) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let text = try text(start..<position)
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
      if byte < 0x20 { throw failure(.syntax, "control character in a string") }
      position += 1
    }
    throw failure(.syntax, "string without end")
  }

  /// The slow path: the string has at least one escape, at `position`.
  private mutating func parseEscapedString(from start: Int) throws(JSONError) -> String {
    var result = [UInt8](bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: result, as: UTF8.self) else {
          throw failure(.invalidUTF8, "string is not UTF-8")
        }
        position += 1
        return text
      case UInt8(ascii: "\\"):
        position += 1
        try parseEscape(into: &result)
      case 0..<0x20:
        throw failure(.syntax, "control character in a string")
      default:
        result.append(byte)
        position += 1
      }
    }
    throw failure(.syntax, "string without end")
  }

  private mutating func parseEscape(into result: inout [UInt8]) throws(JSONError) {
    guard let byte = peek else { throw failure(.syntax, "string without end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
    case UInt8(ascii: "b"): result.append(0x08)
    case UInt8(ascii: "f"): result.append(0x0C)
    case UInt8(ascii: "n"): result.append(0x0A)
    case UInt8(ascii: "r"): result.append(0x0D)
    case UInt8(ascii: "t"): result.append(0x09)
    case UInt8(ascii: "u"): result.append(contentsOf: Array(String(try parseUnicodeEscape()).utf8))
    default:
      position -= 1
      throw failure(.invalidEscape, "unknown escape \(describePeek)")
    }
  }

  /// The scalar of `\uXXXX`, or of two of them that form a surrogate pair; `position` is behind the first `u`.
  private mutating func parseUnicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let first = try parseHexQuad()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800..<0xDC00).contains(first), consume(UInt8(ascii: "\\")), consume(UInt8(ascii: "u")) else {
      throw failure(.invalidEscape, "lone surrogate")
    }
    let second = try parseHexQuad()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw failure(.invalidEscape, "lone surrogate") }
    return scalar
  }

  private mutating func parseHexQuad() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = hexDigit(byte) else {
        throw failure(.invalidEscape, "expected four hexadecimal digits")
      }
      value = value << 4 | digit
      position += 1
    }
    return value
  }

  // MARK: Bytes

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func consume(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipWhitespace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private func text(_ range: Range<Int>) throws(JSONError) -> String {
    let slice = UnsafeRawBufferPointer(rebasing: bytes[range])
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw JSONError(code: .invalidUTF8, message: "string is not UTF-8", offset: range.lowerBound)
    }
    return text
  }

  private var describePeek: String {
    guard let byte = peek else { return "the end" }
    return (0x21..<0x7F).contains(byte) ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
  }

  private func failure(_ code: JSONError.Code, _ message: String) -> JSONError {
    JSONError(code: code, message: message, offset: position)
  }
}
