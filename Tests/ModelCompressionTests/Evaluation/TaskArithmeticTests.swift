import Testing

@testable import ModelCompression

@Suite struct TaskArithmeticTests {
  /// Text, and what Python 3.11 makes of it with `capitalize` and `strip`.
  static let texts: [(text: String, capitalized: String, stripped: String)] = [
    ("", "", ""),
    (" a B ", " a b ", "a B"),
    ("hello WORLD", "Hello world", "hello WORLD"),
    ("élan", "Élan", "élan"),
    ("ǆe", "ǅe", "ǆe"),
    ("ßE", "Sse", "ßE"),
    ("ΟΔΟΣ ΣΑΣ.", "Οδος σας.", "ΟΔΟΣ ΣΑΣ."),
    ("İI", "İi", "İI"),
    ("xİ", "Xi̇", "xİ"),
    ("\u{1C}\u{A0}x\u{3000}\u{85}", "\u{1C}\u{A0}x\u{3000}\u{85}", "x"),
    ("\u{200B}x", "\u{200B}x", "\u{200B}x"),
  ]

  @Test(arguments: texts) func textsChangeAsInPython(_ text: String, _ capitalized: String, _ stripped: String) {
    #expect(text.pythonCapitalized.unicodeScalars.elementsEqual(capitalized.unicodeScalars))
    #expect(text.pythonStripped.unicodeScalars.elementsEqual(stripped.unicodeScalars))
  }

  @Test(arguments: [
    ("", ""), ("a [b] c", "a  c"), ("[[a]b]", "b]"), ("a [b\nc] d [e]", "a [b\nc] d "), ("[]x[", "x["), ("]a[b]", "]a"),
  ]) func bracketsGoAsWithTheExpression(_ text: String, _ expected: String) {
    #expect(text.withoutBrackets == expected)
  }

  @Test func replacesFromLeftToRightWithoutOverlap() {
    #expect("a   b    c".replacingScalars("  ", with: " ") == "a  b  c")
    // A space and an accent are one character, and two code points.
    #expect("a  \u{301}".replacingScalars("  ", with: " ").unicodeScalars.count == 3)
  }

  @Test func beginningsOfOtherInputsAreNotRunAgain() {
    let inputs: [[Int]] = [[1, 2, 3], [1], [1, 2], [2, 2], [1, 2, 3], [1, 3], []]
    let shared = SharedInputs(inputs.map { $0[...] })
    #expect(shared.sequences.sorted { $0.lexicographicallyPrecedes($1) } == [[1, 2, 3], [1, 3], [2, 2]])
    #expect(shared.users.joined().sorted() == Array(inputs.indices))
    for (sequence, users) in zip(shared.sequences, shared.users) {
      #expect(users.allSatisfy { sequence.starts(with: inputs[$0]) })
    }
  }

  /// From tables of the binomial distribution.
  @Test(arguments: [(0, 0, 1.0), (1, 0, 1.0), (5, 1, 0.21875), (1, 5, 0.21875), (0, 10, 0.001953125), (4, 4, 1.0)])
  func mcNemarsTestIsThatOfACoin(_ first: Int, _ second: Int, _ probability: Double) {
    let found = TaskComparison(onlyFirst: first, onlySecond: second).probability
    #expect(abs(found - probability) < 1e-12)
  }

  @Test func manyDisagreementsDoNotOverflow() {
    // scipy.stats.binomtest(4900, 10000).pvalue
    let found = TaskComparison(onlyFirst: 4900, onlySecond: 5100).probability
    #expect(abs(found - 0.046_585_527_704_945) < 1e-9)
  }
}
