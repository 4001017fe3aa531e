import Testing

@testable import ModelCompression

@Suite struct ErrorSumsTests {
  private func sums(_ a: [Float], _ b: [Float]) -> ErrorSums {
    var sums = ErrorSums()
    a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { b in sums.add(a, b) } }
    return sums
  }

  @Test(arguments: Metrics.shared.pairs) func agreesWithNumpy(_ pair: Metrics.Pair) {
    let found = sums(pair.a, pair.b).comparison(name: "w", shape: [pair.rows, pair.columns])
    let expected = pair.errors
    #expect(agree(found.maximumError, expected.maximum, within: 1e-12))
    #expect(agree(found.relativeError, expected.normalized.squareRoot(), within: 1e-12))
    #expect(agree(found.cosine, expected.cosine, within: 1e-12))
    #expect((found.signalToNoise == nil) == (expected.signal_to_noise == nil))
    if let noise = expected.signal_to_noise, let ours = found.signalToNoise { #expect(abs(noise - ours) < 1e-9) }
    #expect(found.isExact == (pair.name == "equal"))
  }

  @Test func addsUpToTheSameInParts() {
    let pair = Metrics.shared.pairs[0]
    let whole = sums(pair.a, pair.b)
    for split in [1, 7, 16, 40] {
      var parts = sums(Array(pair.a[..<split]), Array(pair.b[..<split]))
      parts.add(sums(Array(pair.a[split...]), Array(pair.b[split...])))
      #expect(agree(parts.normalizedError, whole.normalizedError, within: 1e-12))
      #expect(parts.maximumError == whole.maximumError)
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity], [0, 5, 18])
  func whatIsNotFiniteIsTheLargestError(_ value: Float, _ place: Int) {
    let a = [Float](repeating: 1, count: 19)
    var b = a
    b[place] = value
    for (left, right) in [(a, b), (b, a), (b, b)] where !(value.isInfinite && left == right) {
      let sums = sums(left, right)
      #expect(sums.maximumError == .infinity)
      #expect(!(sums.normalizedError <= Verifier.defaultTolerance))
    }
  }

  @Test func nothingIsEqualToNothing() {
    let sums = sums([], [])
    #expect(sums.normalizedError == 0 && sums.maximumError == 0 && sums.cosine == 1)
  }
}
