import Testing

@testable import mtconv

@Suite struct ChartTests {
  @Test(
    arguments: [
      ([0, 1], [0, 0.2, 0.4, 0.6, 0.8, 1]), ([3, 97], [0, 20, 40, 60, 80, 100]), ([-2, 3], [-2, -1, 0, 1, 2, 3]),
      ([0.311, 0.318], [0.311, 0.312, 0.313, 0.314, 0.315, 0.316, 0.317, 0.318]), ([], [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ] as [([Double], [Double])])
  func ticksAreRoundNumbersAroundTheValues(_ values: [Double], _ ticks: [Double]) {
    let scale = ChartScale(values)
    #expect(scale.ticks.count == ticks.count, "\(scale.ticks)")
    #expect(zip(scale.ticks, ticks).allSatisfy { abs($0 - $1) < 1e-9 })
  }

  @Test(
    arguments: [
      ([0.03, 0.8], [0.02, 0.05, 0.1, 0.2, 0.5, 1]), ([1, 1], [1, 2]),
      ([3e-7, 40], [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10]),
      ([], [1, 2]), ([-1, 0, 50], [50, 100]),
    ] as [([Double], [Double])])
  func logarithmicTicksAreOneTwoFive(_ values: [Double], _ ticks: [Double]) {
    let scale = ChartScale(values, .logarithmic)
    for tick in ticks where values.count != 2 || values[0] > 1e-6 {
      #expect(scale.ticks.contains { abs($0 - tick) < 1e-9 * tick }, "\(tick) in \(scale.ticks)")
    }
    #expect(scale.ticks.count <= 9)
    #expect(zip(scale.ticks, scale.ticks.dropFirst()).allSatisfy { $0 < $1 })
    #expect(values.allSatisfy { $0 <= 0 || (scale.low <= $0 && $0 <= scale.high) })
  }

  @Test(arguments: [
    [Double.nan], [.infinity], [0, 0], [5], [-.infinity, 3], [1e300, -1e300], [.leastNonzeroMagnitude],
  ])
  func noValueBreaksAScale(_ values: [Double]) {
    for kind in [ChartScale.Kind.linear, .logarithmic] {
      let scale = ChartScale(values, kind)
      #expect(scale.low < scale.high && !scale.ticks.isEmpty && scale.ticks.count < 20)
      for value in values + [.nan, 0] { #expect((0...1).contains(scale.share(value))) }
    }
  }

  @Test func labelsHaveTheDecimalsOfTheirStep() {
    let scale = ChartScale([0.311, 0.318])
    #expect(scale.ticks.map(scale.label) == (311...318).map { "0.\($0)" })
    #expect(
      ChartScale([0, 1000]).ticks.map(ChartScale([0, 1000]).label) == ["0", "200", "400", "600", "800", "1000"])
  }

  @Test func markupIsEscapedAndClosed() {
    let markup = Markup("p", ["title": "a\"<b"], .text("x < y & \u{1}"), Markup("br", [:]), Markup("i", [:]))
    #expect(markup.serialized == "<p title=\"a&quot;&lt;b\">x &lt; y &amp; \u{FFFD}<br/><i></i></p>")
  }

  @Test func theFrontIsWhatNothingSmallerBeats() {
    let points = [(3.0, 1.0), (1.0, 3.0), (2.0, 3.5), (2.0, 2.0), (4.0, 1.5)].map { (x: $0.0, y: $0.1) }
    #expect(ReportSection.front(points).map(\.x) == [1, 2, 3])
  }

  @Test(arguments: [
    ("model.layers.3.mlp.up_proj.weight", 3, "mlp.up_proj"), ("blk.12.attn_q.weight", 12, "attn_q"),
    ("model.layers.0.self_attn.q_proj.bias", 0, "self_attn.q_proj.bias"),
  ]) func aTensorBelongsToALayer(_ name: String, _ layer: Int, _ kind: String) {
    let place = ReportSection.place(of: name)
    #expect(place?.layer == layer && place?.kind == kind)
  }

  @Test(arguments: ["lm_head.weight", "model.layers.-1.x", "3", "", "a.99999999999999999999.b"])
  func othersBelongToNone(_ name: String) { #expect(ReportSection.place(of: name) == nil) }
}
