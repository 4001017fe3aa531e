/// Takes a JSON text (RFC 8259) apart, token by token, without building values.
///
/// `JSON(parsing:)` stands on it, and so do readers of large headers that know what they expect.
package struct JSONScanner {
  /// Arrays and objects that may stand within each other, the outermost included.
  package static let maximumDepth = 128

  package enum Kind { case object, array, string, number, bool, null }

  package let bytes: UnsafeRawBufferPointer
  /// Offset of the next byte.
  package var position = 0
  /// Offset of the key that `nextKey` gave last, its quote included.
  package private(set) var keyOffset = 0

  package init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  // MARK: Structure

  /// What kind of value comes next; leading white space is skipped.
  package mutating func nextKind() throws(JSONError) -> Kind {
    skipWhitespace()
    guard let byte = peek else { throw failure(.syntax, "expected a value, found the end") }
    switch byte {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    default: throw failure(.syntax, "expected a value, found \(describePeek)")
    }
  }

  /// Steps over the bracket or brace that `nextKind` has seen. `depth` counts the arrays and objects around it.
  package mutating func open(depth: Int) throws(JSONError) {
    guard depth < Self.maximumDepth else { throw failure(.depth, "nested deeper than \(Self.maximumDepth)") }
    position += 1
  }

  /// The key of the next member, its colon passed; nil at the end of the object, its brace passed.
  package mutating func nextKey(isFirst: Bool) throws(JSONError) -> String? {
    skipWhitespace()
    if consume(UInt8(ascii: "}")) { return nil }
    if !isFirst {
      guard consume(UInt8(ascii: ",")) else { throw failure(.syntax, "expected ',' or '}', found \(describePeek)") }
      skipWhitespace()
    }
    guard peek == UInt8(ascii: "\"") else { throw failure(.syntax, "expected a key, found \(describePeek)") }
    keyOffset = position
    let key = try scanString()
    skipWhitespace()
    guard consume(UInt8(ascii: ":")) else { throw failure(.syntax, "expected ':', found \(describePeek)") }
    return key
  }

  /// Whether another element follows; false at the end of the array, its bracket passed.
  package mutating func nextElement(isFirst: Bool) throws(JSONError) -> Bool {
    skipWhitespace()
    if consume(UInt8(ascii: "]")) { return false }
    if isFirst { return true }
    guard consume(UInt8(ascii: ",")) else { throw failure(.syntax, "expected ',' or ']', found \(describePeek)") }
    skipWhitespace()
    guard peek != UInt8(ascii: "]") else { throw failure(.syntax, "expected a value, found \(describePeek)") }
    return true
  }

  /// Checks that only white space follows.
  package mutating func finish() throws(JSONError) {
    skipWhitespace()
    guard position == bytes.count else { throw failure(.trailingBytes, "unexpected bytes after the JSON value") }
  }

  /// Passes one value of any kind, checking its syntax. `depth` counts the arrays and objects around it.
  package mutating func skipValue(depth: Int) throws(JSONError) {
    switch try nextKind() {
    case .object:
      try open(depth: depth)
      var isFirst = true
      while try nextKey(isFirst: isFirst) != nil {
        isFirst = false
        try skipValue(depth: depth + 1)
      }
    case .array:
      try open(depth: depth)
      var isFirst = true
      while try nextElement(isFirst: isFirst) {
        isFirst = false
        try skipValue(depth: depth + 1)
      }
    case .string: _ = try scanString()
    case .number: _ = try scanNumberRange()
    case .bool: _ = try scanBool()
    case .null: try scanNull()
    }
  }

  // MARK: Words and numbers

  package mutating func scanNull() throws(JSONError) { try scanWord("null") }

  package mutating func scanBool() throws(JSONError) -> Bool {
    let value = peek == UInt8(ascii: "t")
    try scanWord(value ? "true" : "false")
    return value
  }

  private mutating func scanWord(_ word: StaticString) throws(JSONError) {
    let length = word.utf8CodeUnitCount
    guard position + length <= bytes.count,
      (0..<length).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
    else { throw failure(.syntax, "expected '\(word)'") }
    position += length
  }

  package mutating func scanNumber() throws(JSONError) -> JSONNumber {
    let range = try scanNumberRange()
    return JSONNumber(text: String(decoding: bytes[range], as: UTF8.self))
  }

  // number = [ "-" ] int [ frac ] [ exp ]      (RFC 8259 §6)
  package mutating func scanNumberRange() throws(JSONError) -> Range<Int> {
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
    return start..<position
  }

  private mutating func skipDigits() throws(JSONError) {
    guard isDigit(peek) else { throw failure(.syntax, "expected a digit, found \(describePeek)") }
    while isDigit(peek) { position += 1 }
  }

  private func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  // MARK: Bytes

  package var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  package mutating func consume(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  package mutating func skipWhitespace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  package func failure(_ code: JSONError.Code, _ message: String) -> JSONError {
    JSONError(code: code, message: message, offset: position)
  }

  var describePeek: String {
    guard let byte = peek else { return "the end" }
    return (0x21..<0x7F).contains(byte) ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
  }
}
