import TensorFormats
import Testing

@Suite struct JSONParserTests {
  @Test(
    arguments: [
      ("null", .null), (" \t\r\n true \n", .bool(true)), ("false", .bool(false)), ("\"\"", ""), ("[]", []), ("{}", [:]),
      ("[ ]", []), ("{ }", [:]), ("[1,\n2]", [1, 2]), ("{\"a\":{\"b\":[{}]}}", ["a": ["b": [[:]]]]),
      ("\"a/b\"", "a/b"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\u0041""#, "éA"),
      (#""\ud83d\ude00""#, "😀"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\u0000""#, "\0"),
      ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
      ("\"é漢😀\"", "é漢😀"), ("{\"\":1}", ["": 1]), ("-0", .int(0)),
    ] as [(String, JSON)])
  func accepts(text: String, value: JSON) throws {
    let parsed = try JSON(parsing: text)
    if text == "-0" { #expect(parsed.int == 0) } else { #expect(parsed == value) }
  }

  /// Each with the code of its rule and the offset of the byte that breaks it.
  @Test(
    arguments: [
      ("", .syntax, 0), ("  ", .syntax, 2), ("nul", .syntax, 0), ("nulL", .syntax, 0), ("True", .syntax, 0),
      ("NaN", .syntax, 0),
      ("Infinity", .syntax, 0), ("-Infinity", .syntax, 1), ("'a'", .syntax, 0), ("\u{FEFF}{}", .syntax, 0),
      ("// x\n1", .syntax, 0), ("[1 2]", .syntax, 3), ("[1,]", .syntax, 3), ("[,1]", .syntax, 1), ("[1", .syntax, 2),
      ("[", .syntax, 1), ("]", .syntax, 0), ("{\"a\"}", .syntax, 4), ("{\"a\" 1}", .syntax, 5),
      ("{\"a\":}", .syntax, 5),
      ("{\"a\":1,}", .syntax, 7), ("{a:1}", .syntax, 1), ("{1:1}", .syntax, 1), ("{\"a\":1 \"b\":2}", .syntax, 7),
      ("{\"a\":1", .syntax, 6), ("{,}", .syntax, 1), ("{", .syntax, 1),
      ("01", .syntax, 1), ("-", .syntax, 1), ("-a", .syntax, 1), ("+1", .syntax, 0), (".5", .syntax, 0),
      ("1.", .syntax, 2),
      ("1.e3", .syntax, 2), ("1e", .syntax, 2), ("1e+", .syntax, 3), ("--1", .syntax, 1), ("-01", .syntax, 2),
      ("\"abc", .syntax, 4), ("\"a\nb\"", .syntax, 2), ("\"a\\n\tb\"", .syntax, 4), ("\"\0\"", .syntax, 1),
      ("\"\\", .syntax, 2),
      ("\"a\\\"", .syntax, 4),
      (#""\x""#, .invalidEscape, 2), (#""ab\'""#, .invalidEscape, 4), (#""\u12g4""#, .invalidEscape, 5),
      (#""\u12""#, .invalidEscape, 5), (#""\u""#, .invalidEscape, 3), (#""\U0041""#, .invalidEscape, 2),
      (#""ab\ud800""#, .invalidEscape, 3), (#""\udc00""#, .invalidEscape, 1), (#""\ud800x""#, .invalidEscape, 1),
      (#""\ud800\n""#, .invalidEscape, 1), (#""\ud800\u0041""#, .invalidEscape, 1),
      (#""\ud800\ud800""#, .invalidEscape, 1),
      ("1 2", .trailingBytes, 2), ("{} x", .trailingBytes, 3), ("[]]", .trailingBytes, 2), ("truex", .trailingBytes, 4),
      ("0x10", .trailingBytes, 1), ("1_000", .trailingBytes, 1), ("null\0", .trailingBytes, 4),
      (#"{"a":1,"b":2, "a":3}"#, .duplicateKey, 14), (#"{"x":{"k":1,"\u006b":2}}"#, .duplicateKey, 12),
      (#"{"":1,"":1}"#, .duplicateKey, 6),
    ] as [(String, JSONError.Code, Int)])
  func rejects(text: String, code: JSONError.Code, offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
    #expect(error?.code == code)
    #expect(error?.offset == offset, "\(text): \(error.map(String.init(describing:)) ?? "")")
    #expect(error?.message.contains("\n") == false)
  }

  /// Overlong forms, surrogates, bytes beyond Unicode, broken sequences; offsets are of the first byte that is no part of a scalar.
  @Test(
    arguments: [
      ([0x80], 1), ([0x61, 0xC3], 2), ([0xC0, 0xAF], 1), ([0xE0, 0x80, 0xAF], 1), ([0xED, 0xA0, 0x80], 1),
      ([0xF4, 0x90, 0x80, 0x80], 1),
      ([0xFF], 1), ([0xC3, 0xA9, 0xE2, 0x82], 3), ([0x5C, 0x6E, 0xC3, 0xA9, 0xFE], 5),
      ([0xF0, 0x9F, 0x98, 0x80, 0xBF], 5),
    ] as [([UInt8], Int)])
  func rejectsBytesThatAreNotUTF8(content: [UInt8], offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: [0x22] + content + [0x22]) }
    #expect(error?.code == .invalidUTF8)
    #expect(error?.offset == offset)
    #expect(throws: JSONError.self) { try JSON(parsing: [0x7B, 0x22] + content + [0x22, 0x3A, 0x31, 0x7D]) }
  }

  @Test func nestingHasALimit() throws {
    func nested(_ depth: Int, _ core: String) -> String {
      String(repeating: "[", count: depth) + core + String(repeating: "]", count: depth)
    }
    for core in ["", "1", "{}"] { _ = try JSON(parsing: nested(127, core)) }
    _ = try JSON(parsing: nested(128, "1"))
    let error = #expect(throws: JSONError.self) { try JSON(parsing: nested(129, "1")) }
    #expect(error?.code == .depth)
    #expect(error?.offset == 128)
    #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "{\"a\":", count: 100_000)) }
    #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 1_000_000)) }
  }

  @Test(arguments: [
    "0", "-0", "1.0", "1000000.0", "1e-05", "1E5", "1e+05", "0.1000", "18446744073709551615", "1e999", "-0.0e-0",
  ])
  func numbersKeepTheirSpelling(text: String) throws {
    let value = try JSON(parsing: text)
    #expect(value.number?.text == text)
    #expect(value.serialized() == text)
  }

  @Test func integersAreExactAndOnlyIntegers() throws {
    #expect(try JSON(parsing: "9223372036854775807").int == .max)
    #expect(try JSON(parsing: "9223372036854775808").int == nil)
    #expect(try JSON(parsing: "-9223372036854775808").int == .min)
    #expect(try JSON(parsing: "18446744073709551615").number?.uint64 == .max)
    for text in ["3.0", "3e0", "1e2", "\"3\""] { #expect(try JSON(parsing: text).int == nil) }
    #expect(try JSON(parsing: "3").double == 3)
    #expect(try JSON(parsing: "1e2").double == 100)
    #expect(try JSON(parsing: "3").number?.isInteger == true)
    #expect(try JSON(parsing: "3.0").number?.isInteger == false)
    #expect(try JSON(parsing: "3E0").number?.isInteger == false)
  }

  /// Swift calls `é` and `e` with an accent equal; a vocabulary holds both.
  @Test func canonicallyEquivalentKeysAreDifferent() throws {
    let value = try JSON(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(value.object?.count == 2)
    #expect(value["\u{E9}"]?.int == 1)
    #expect(value["e\u{301}"]?.int == 2)
  }

  @Test func errorsNameTheByte() {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: "[1 2]") }
    #expect(error?.description == "expected ',' or ']', found '2' at byte 3")
  }
}
