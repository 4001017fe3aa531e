import TensorFormats
import Testing

@Suite struct AbsoluteMaximumTests {
  @Test(
    arguments: [
      ([], 0, 0), ([0, -0.0], 0, 0), ([1, -2, 1.5], 2, 0), ([1, .nan, -2], 2, 1), ([.infinity, -.infinity, 3], 3, 2),
      ([.nan, .signalingNaN], 0, 2), ([.leastNonzeroMagnitude, 0], .leastNonzeroMagnitude, 0),
      ([-.greatestFiniteMagnitude], .greatestFiniteMagnitude, 0),
    ] as [([Float], Float, Int)])
  func countsWhatIsNotFinite(row: [Float], value: Float, nonFinite: Int) {
    let maximum = row.withUnsafeBufferPointer { absoluteMaximum(of: $0) }
    #expect(maximum == AbsoluteMaximum(value: value, nonFiniteCount: nonFinite))
    #expect(maximum.isFinite == (nonFinite == 0))
  }

  @Test func joinsRows() {
    var maximum = AbsoluteMaximum()
    maximum.formUnion(AbsoluteMaximum(value: 3, nonFiniteCount: 1))
    maximum.formUnion(AbsoluteMaximum(value: 2, nonFiniteCount: 4))
    #expect(maximum == AbsoluteMaximum(value: 3, nonFiniteCount: 5))
  }
}
