extension JSONScanner {
  /// The string whose opening quote comes next.
  package mutating func scanString() throws(JSONError) -> String {
    position += 1
    let start = position
    var union: UInt8 = 0
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let text = try text(start..<position, isASCII: union < 0x80)
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
      if byte < 0x20 { throw failure(.syntax, "control character in a string") }
      union |= byte
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
        guard let text = String(validating: result, as: UTF8.self) else { throw invalidUTF8(in: start..<position) }
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
    let loneSurrogate = JSONError(code: .invalidEscape, message: "lone surrogate", offset: position - 2)
    let first = try parseHexQuad()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800..<0xDC00).contains(first), consume(UInt8(ascii: "\\")), consume(UInt8(ascii: "u")) else {
      throw loneSurrogate
    }
    let second = try parseHexQuad()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw loneSurrogate }
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

  private func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private func text(_ range: Range<Int>, isASCII: Bool) throws(JSONError) -> String {
    let slice = UnsafeRawBufferPointer(rebasing: bytes[range])
    // Validation costs six times the making of a short string.
    if isASCII { return String(decoding: slice, as: UTF8.self) }
    guard let text = String(validating: slice, as: UTF8.self) else { throw invalidUTF8(in: range) }
    return text
  }

  /// The error that names the first byte of `range` which does not belong to a scalar. (Escapes in it are ASCII.)
  private func invalidUTF8(in range: Range<Int>) -> JSONError {
    var parser = Unicode.UTF8.ForwardParser()
    var input = bytes[range].makeIterator()
    var offset = range.lowerBound
    while case .valid(let scalar) = parser.parseScalar(from: &input) { offset += scalar.count }
    return JSONError(code: .invalidUTF8, message: "string is not UTF-8", offset: offset)
  }
}
