import ModelCompute
import Testing

@testable import ModelCompression

@Suite struct MagnitudeHistogramTests {
  private func histogram(_ values: [Float]) -> MagnitudeHistogram {
    var statistics = ChannelStatistics(channelCount: 1)
    statistics.add(Matrix(rows: values.count, columns: 1, values), sequences: [0..<values.count])
    return statistics.histogram
  }

  @Test func everyBinBeginsAtItsLowerEdge() {
    for bin in 1..<MagnitudeHistogram.binCount {
      let edge = Float(MagnitudeHistogram.lowerEdge(bin))
      #expect(MagnitudeHistogram.bin(of: edge) == bin)
      #expect(MagnitudeHistogram.bin(of: -edge.nextDown) == bin - 1)
    }
    #expect(MagnitudeHistogram.lowerEdge(0) == 0x1p-28)
    #expect(MagnitudeHistogram.lowerEdge(16) == 0x1p-27)
    #expect(MagnitudeHistogram.lowerEdge(MagnitudeHistogram.binCount) == 0x1p20)
  }

  @Test func theEndsHoldWhatLiesBeyond() {
    let last = MagnitudeHistogram.binCount - 1
    let counts = histogram([0, -0, 1e-30, 0x1p-28, 0x1p20, 3e38, .infinity, -.infinity, .nan, -1]).counts
    #expect(counts[0] == 4)
    #expect(counts[last] == 5)
    #expect(counts[MagnitudeHistogram.bin(of: 1)] == 1)
  }

  @Test func percentilesAreUpperEdges() {
    let histogram = histogram([1, 1, 1, 2, 2, 2, 2, 2, 2, 100])
    #expect(histogram.percentile(0.3) == 1.0625)
    #expect(histogram.percentile(0.31) == 2.125)
    #expect(histogram.percentile(0.9) == 2.125)
    #expect(histogram.percentile(1) == 104)
    #expect(MagnitudeHistogram().percentile(0.5) == 0)
  }

  @Test func aValueThatIsNoNumberIsNotForgotten() {
    var statistics = ChannelStatistics(channelCount: 2)
    statistics.add(Matrix(rows: 3, columns: 2, [.nan, 1, 2, 2, 3, 3]), sequences: [0..<3])
    statistics.add(Matrix(rows: 1, columns: 2, [5, 5]), sequences: [0..<1])
    #expect(statistics.maxima[0].isNaN)
    #expect(statistics.maxima[1] == 5)
    #expect(statistics.means[1] == 2.75)
  }

  @Test func sequencesMayComeTogetherOrOneByOne() {
    let values = (0..<8000).map { Float($0 % 97) * 0.01 - 0.4 }
    let matrix = Matrix(rows: 80, columns: 100, values)
    var together = ChannelStatistics(channelCount: 100)
    together.add(matrix, sequences: [0..<30, 30..<30, 30..<80])
    var alone = ChannelStatistics(channelCount: 100)
    alone.add(matrix.view(rows: 0..<30), sequences: [0..<30])
    alone.add(matrix.view(rows: 30..<80), sequences: [0..<50])
    #expect(together == alone)
    #expect(together.sequenceCount == 2)
    #expect(together.histogram.total == 8000)
  }
}
