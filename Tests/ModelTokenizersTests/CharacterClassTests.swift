import Testing

@testable import ModelTokenizers

/// The oracle is Oniguruma as `tokenizers` 0.23.3 uses it: a `Split` with the pattern `\p{L}`, `\p{N}` or `\s`, asked about
/// every scalar.
@Suite struct CharacterClassTests {
  @Test(arguments: [(CharacterClass.letter, 141_028), (.number, 1911), (.space, 25)])
  func hasAsManyMembersAsTheReference(kind: CharacterClass, count: Int) {
    let found = CharacterClass.table.withUnsafeBufferPointer { table in
      (0..<0x110000 as Range<UInt32>).count { CharacterClass.of($0, table.baseAddress!) == kind }
    }
    #expect(found == count)
  }

  static let examples: [(Unicode.Scalar, CharacterClass)] = [
    ("a", .letter), ("\u{2B0}", .letter), ("\u{1C5}", .letter), ("\u{10400}", .letter),
    ("\u{17F}", .letter),
    ("\u{663}", .number), ("\u{B2}", .number), ("\u{2167}", .number), ("\u{1D7CE}", .number),
    ("\u{85}", .space), ("\u{A0}", .space), ("\u{3000}", .space), ("\u{1680}", .space),
    ("\u{200B}", .other), ("\u{FEFF}", .other), ("\u{1C}", .other), ("\u{301}", .other), ("_", .other),
    ("\u{1F600}", .other),
  ]

  @Test(arguments: examples)
  func classifies(character: Unicode.Scalar, kind: CharacterClass) {
    CharacterClass.table.withUnsafeBufferPointer { table in
      #expect(CharacterClass.of(character.value, table.baseAddress!) == kind)
    }
  }
}
