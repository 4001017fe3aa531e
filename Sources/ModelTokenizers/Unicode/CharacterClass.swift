/// The four classes that the patterns tell apart. They cover all scalars and do not overlap.
///
/// They are those of Unicode 16, as in the regex engine of `tokenizers` 0.23, whatever the standard library knows: newer
/// letters and numbers are `other`.
enum CharacterClass: UInt8 {
  /// Neither of the others: punctuation, symbols, marks, controls, unassigned.
  case other
  /// `\p{L}`
  case letter
  /// `\p{N}`
  case number
  /// `\s`: the property White_Space.
  case space

  /// The class of a scalar: from a table below U+10000, computed above.
  @inline(__always)
  static func of(_ scalar: UInt32, _ table: UnsafePointer<CharacterClass>) -> CharacterClass {
    scalar < 0x10000 ? table[Int(scalar)] : compute(scalar)
  }

  /// The classes of U+0000 to U+FFFF.
  static let table: [CharacterClass] = (0..<0x10000).map { compute($0) }

  private static func compute(_ value: UInt32) -> CharacterClass {
    guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age, age.major <= 16 else { return .other }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return scalar.properties.isWhitespace ? .space : .other
    }
  }
}

/// Scalars of bytes that are known to be UTF-8.
enum UTF8Reading {
  /// The scalar that starts at `position`, and its length in bytes.
  @inline(__always)
  static func scalar(_ bytes: UnsafePointer<UInt8>, _ position: Int) -> (value: UInt32, length: Int) {
    let first = UInt32(bytes[position])
    if first < 0x80 { return (first, 1) }
    let second = UInt32(bytes[position + 1]) & 0x3F
    if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
    let third = UInt32(bytes[position + 2]) & 0x3F
    if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
    let fourth = UInt32(bytes[position + 3]) & 0x3F
    return ((first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
  }

  /// Where the scalar starts that ends before `position`.
  @inline(__always)
  static func previous(_ bytes: UnsafePointer<UInt8>, _ position: Int) -> Int {
    var start = position - 1
    while bytes[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }
}
