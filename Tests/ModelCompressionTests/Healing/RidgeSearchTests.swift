import ModelArchitectures
import Testing

@testable import ModelCompression

@Suite("The search for the strength of a ridge")
struct RidgeSearchTests {
  private static let strengths = [0.03, 0.1, 0.3, 1, 3]

  /// Searches an error with its minimum at one of the strengths, or at an infinite one.
  private static func search(
    _ search: inout RidgeSearch, minimum: Int, before: Double = 10
  ) -> (strength: Double?, tried: [Double]) {
    var tried: [Double] = []
    let best = search.best(for: .down, before: before) { strength in
      tried.append(strength)
      let distance = Double(Self.strengths.firstIndex(of: strength)! - minimum)
      return minimum == Self.strengths.count ? before + abs(distance) : 1 + abs(distance)
    }
    return (best?.strength, tried)
  }

  @Test(arguments: 0..<5, 0...5)
  func findsTheLowestErrorFromEverywhere(minimum: Int, last: Int) {
    var ridges = RidgeSearch(Self.strengths)
    _ = Self.search(&ridges, minimum: last)
    let (strength, tried) = Self.search(&ridges, minimum: minimum)
    #expect(strength == Self.strengths[minimum])
    #expect(Set(tried).count == tried.count, "none is tried twice")
  }

  /// Both neighbours have to be seen, which at the end of the list is what an infinitely strong ridge leaves.
  @Test func fewAreTriedWhereTheLastSearchEnded() {
    for (minimum, count) in [(0, 2), (1, 3), (2, 3), (3, 3), (4, 2), (5, 1)] {
      var ridges = RidgeSearch(Self.strengths)
      _ = Self.search(&ridges, minimum: minimum)
      let (strength, tried) = Self.search(&ridges, minimum: minimum)
      #expect(strength == (minimum < 5 ? Self.strengths[minimum] : nil))
      #expect(tried.count == count)
    }
  }

  @Test func otherWeightsBeginInTheMiddle() {
    var ridges = RidgeSearch(Self.strengths.reversed())
    _ = Self.search(&ridges, minimum: 0)
    var tried: [Double] = []
    _ = ridges.best(for: .gate, before: 1) { strength in
      tried.append(strength)
      return 0.5
    }
    #expect(tried == [0.3, 1, 0.1])
  }

  @Test func withoutSolutionsNothingIsFound() {
    var ridges = RidgeSearch(Self.strengths)
    #expect(ridges.best(for: .down, before: 1) { _ in nil } == nil)
    var none = RidgeSearch([])
    #expect(none.best(for: .down, before: 1) { _ in 0 } == nil)
  }

  private struct Failure: Error {}

  @Test func anErrorEndsTheSearch() {
    var ridges = RidgeSearch(Self.strengths)
    #expect(throws: Failure.self) { try ridges.best(for: .down, before: 1) { _ in throw Failure() } }
  }
}
