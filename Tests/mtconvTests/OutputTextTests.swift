import ModelCheckpoints
import Testing

@testable import mtconv

@Suite struct NumberTextTests {
  @Test(
    arguments: [
      (0.0, 3, "0.000"), (3.14159, 3, "3.142"), (-2.5, 1, "-2.5"), (-0.0004, 3, "0.000"), (999.9996, 3, "1000.000"),
      (0.05, 1, "0.0"), (12, 0, "12"), (1e20, 2, "1.00e+20"), (-1e20, 1, "-1.0e+20"), (.nan, 2, "nan"),
      (.infinity, 2, "inf"), (-.infinity, 0, "-inf"),
    ] as [(Double, Int, String)])
  func writesAFixedNumberOfDecimals(_ value: Double, _ digits: Int, _ text: String) {
    #expect(NumberText.fixed(value, digits) == text)
  }

  @Test(
    arguments: [
      (0.0, 2, "0"), (1.234e-7, 2, "1.23e-07"), (9.996e-11, 2, "1.00e-10"), (1e-10, 0, "1e-10"), (9.6e-11, 0, "1e-10"),
      (-4.56e12, 1, "-4.6e+12"), (1.5e300, 1, "1.5e+300"), (.leastNonzeroMagnitude, 0, "5e-324"), (1, 2, "1.00e+00"),
    ] as [(Double, Int, String)])
  func writesPowersOfTen(_ value: Double, _ digits: Int, _ text: String) {
    #expect(NumberText.scientific(value, digits) == text)
  }

  @Test(
    arguments: [
      (0, "0 B", "0"), (999, "999 B", "999"), (1000, "1.0 kB", "1.0 K"), (999_949, "999.9 kB", "999.9 K"),
      (999_950, "1.0 MB", "1.0 M"), (134_515_008, "134.5 MB", "134.5 M"), (.max, "9223.4 PB", "9223.4 P"),
    ] as [(Int, String, String)])
  func scalesBytesAndCounts(_ count: Int, _ bytes: String, _ plain: String) {
    #expect(NumberText.bytes(count) == bytes)
    #expect(NumberText.count(count) == plain)
  }

  @Test(
    arguments: [
      (0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (3599.7, "1 h 00 min"), (86_399, "23 h 59 min"),
      (-0.7, "0 s"), (.infinity, "?"), (.nan, "?"),
    ] as [(Double, String)])
  func writesDurations(_ seconds: Double, _ text: String) {
    #expect(NumberText.duration(seconds) == text)
  }

  @Test func writesShares() {
    #expect(NumberText.percent(0.9584) == "95.8 %")
    #expect(NumberText.percent(1, 0) == "100 %")
  }
}

@Suite struct TextTableTests {
  @Test func alignsColumnsAndLeavesNoSpacesAtTheEnd() {
    var table = TextTable([("name", .left), ("size", .right), ("", .left)])
    table.add(["a", "1", ""])
    table.add(["längere", "1000", "x"])
    #expect(
      table.text == """
        name     size
        ───────  ────
        a           1
        längere  1000  x
        """)
  }

  @Test func withoutTitlesThereIsNoLine() {
    var table = TextTable([("", .left), ("", .right)])
    table.add(["a", "12"])
    table.add(["bc", "3"])
    #expect(table.text == "a   12\nbc   3")
  }

  /// A name in a file must not clear the screen or turn text around.
  @Test func spellsOutControlCharacters() {
    var table = TextTable([("", .left)])
    table.add(["a\u{1B}[2Jb\nc\u{202E}d"])
    #expect(table.text == "a\\u{1b}[2Jb\\u{a}c\\u{202e}d")
    #expect("keeps\nlines\u{7}".escapingControls(keepingLines: true) == "keeps\nlines\\u{7}")
  }
}

@Suite struct ProgressLineTests {
  @Test(
    arguments: [
      (WorkProgress.Unit.bytes, 250_000_000, 1_000_000_000, 2.0, "writing 25 %, 125.0 MB/s, 6 s left"),
      (.tokens, 512, 4096, 4, "writing 12 %, 128 tokens/s, 28 s left"),
      (.blocks, 3, 30, 61, "writing 10 %, block 3 of 30, 9 min 09 s left"),
      (.blocks, 0, 30, 1, "writing 0 %, block 0 of 30"),
      (.bytes, 0, 0, 0, "writing 0 %, 0 B/s"),
    ] as [(WorkProgress.Unit, Int, Int, Double, String)])
  func tellsShareRateAndTimeLeft(
    _ unit: WorkProgress.Unit, _ completed: Int, _ total: Int, _ elapsed: Double, _ text: String
  ) {
    let progress = WorkProgress(phase: "writing", completed: completed, total: total, unit: unit)
    #expect(ProgressLine.text(progress, elapsed: elapsed) == text)
  }
}

@Suite struct ByteSizeTests {
  @Test(
    arguments: [
      ("5GB", 5_000_000_000), ("5g", 5_000_000_000), ("512MiB", 512 << 20), ("1.5 GiB", nil), ("1.5GiB", 3 << 29),
      ("1000000", 1_000_000), ("7B", 7), ("1TiB", 1 << 40), ("2T", 2_000_000_000_000), ("1tb", 1_000_000_000_000),
      ("0", nil), ("0.5", nil), ("-1GB", nil), ("GB", nil), ("1e3", nil),
      ("nan", nil), ("inf", nil), ("0x10", nil), ("99999999999GB", nil), ("", nil), ("5XB", nil),
    ] as [(String, Int?)])
  func readsSizesWithUnits(_ text: String, _ count: Int?) {
    #expect(ByteSize(argument: text)?.count == count)
  }
}
