import MTConvTestSupport
import ModelCheckpoints
import Testing

@testable import ModelCompression

@Suite struct BenchmarkTests {
  @Test func measuresTheMachine() {
    var benchmark = Benchmark(seconds: 0)
    benchmark.valueCount = 1 << 14
    let figures = benchmark.machine()
    #expect(Set(figures.map(\.unit)) == [.operations, .values, .bytes])
    #expect(Set(figures.map(\.name)).count == figures.count)
    #expect(figures.allSatisfy { $0.rate > 0 && $0.rate.isFinite })
  }

  @Test func runsAModelOnTokensThatItHas() throws {
    let model = try Checkpoint(path: Fixture.path("models/gemma2-pico"))
    let figures = try Benchmark().model(model, sequences: 3, context: 16)
    #expect(figures.map(\.unit) == [.tokens, .tokens])
    #expect(figures.allSatisfy { $0.rate > 0 && $0.rate.isFinite })
  }
}
