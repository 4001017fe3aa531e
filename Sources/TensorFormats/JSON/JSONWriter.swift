/// How JSON is laid out.
public enum JSONStyle: Sendable {
  /// No white space, as serde_json writes it.
  case compact
  /// Two spaces a level and one member a line, as Python's `json.dumps(indent=2)` writes it.
  case indented
}

extension JSON {
  /// The text of this value. Strings are escaped as serde_json does: quote, backslash and control characters only;
  /// or, with `escapesNonASCII`, as Python's `json.dumps` does: everything outside printable ASCII too.
  public func serialized(_ style: JSONStyle = .compact, escapesNonASCII: Bool = false) -> String {
    String(decoding: serializedBytes(style, escapesNonASCII: escapesNonASCII), as: UTF8.self)
  }

  public func serializedBytes(_ style: JSONStyle = .compact, escapesNonASCII: Bool = false) -> [UInt8] {
    var writer = JSONWriter(style: style, escapesNonASCII: escapesNonASCII)
    writer.write(self, level: 0)
    return writer.output
  }
}

private struct JSONWriter {
  let style: JSONStyle
  let escapesNonASCII: Bool
  var output: [UInt8] = []

  init(style: JSONStyle, escapesNonASCII: Bool) {
    self.style = style
    self.escapesNonASCII = escapesNonASCII
  }

  mutating func write(_ value: JSON, level: Int) {
    switch value {
    case .null: write("null")
    case .bool(let value): write(value ? "true" : "false")
    case .number(let value): write(value.text)
    case .string(let value): writeString(value)
    case .array(let elements):
      writeList("[", "]", elements, level: level) { writer, element in writer.write(element, level: level + 1) }
    case .object(let members):
      let colon = style == .compact ? ":" : ": "
      writeList("{", "}", members, level: level) { writer, member in
        writer.writeString(member.key)
        writer.write(colon)
        writer.write(member.value, level: level + 1)
      }
    }
  }

  private mutating func writeList<Elements: Collection>(
    _ open: String, _ close: String, _ elements: Elements, level: Int, _ body: (inout Self, Elements.Element) -> Void
  ) {
    write(open)
    var isFirst = true
    for element in elements {
      if !isFirst { write(",") }
      isFirst = false
      writeBreak(level: level + 1)
      body(&self, element)
    }
    if !elements.isEmpty { writeBreak(level: level) }
    write(close)
  }

  private mutating func writeBreak(level: Int) {
    guard style == .indented else { return }
    output.append(0x0A)
    output.append(contentsOf: repeatElement(0x20, count: 2 * level))
  }

  private mutating func writeString(_ text: String) {
    output.append(UInt8(ascii: "\""))
    if escapesNonASCII, text.utf8.contains(where: { $0 >= 0x7F }) {
      text.utf16.forEach { unit in
        if let byte = UInt8(exactly: unit), byte < 0x7F { writeEscaped(byte) } else { writeHexEscape(unit) }
      }
    } else {
      text.utf8.forEach { writeEscaped($0) }
    }
    output.append(UInt8(ascii: "\""))
  }

  private mutating func writeEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): write("\\\"")
    case UInt8(ascii: "\\"): write("\\\\")
    case 0x08: write("\\b")
    case 0x0C: write("\\f")
    case 0x0A: write("\\n")
    case 0x0D: write("\\r")
    case 0x09: write("\\t")
    case 0..<0x20: writeHexEscape(UInt16(byte))
    default: output.append(byte)
    }
  }

  private mutating func writeHexEscape(_ unit: UInt16) {
    let hex = String(unit, radix: 16)
    write("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex)
  }

  private mutating func write(_ text: String) { output.append(contentsOf: text.utf8) }
}
