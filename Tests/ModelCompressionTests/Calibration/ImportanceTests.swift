import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import SafetensorsFormat
import TensorFormats
import Testing

/// Against numpy on the activations that transformers' modules gave (Fixtures/generate/importance.py).
@Suite struct ImportanceTests {
  static let names = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]
  static let tolerance = 1e-5

  private static let oracle: JSON = {
    let bytes = try! FileSystem.read(Fixture.path("compression/importance.json"))
    return try! JSON(parsing: bytes)
  }()

  private func statistics(_ name: String) throws -> (Checkpoint, ActivationStatistics) {
    let path = Fixture.path("models/\(name)-pico")
    let model = try Checkpoint(path: path)
    let file = try SafetensorsFile(path: path + "/oracle.safetensors")
    let entry = try file.entry("tokens")
    let tokens = file.withBytes(of: entry) { bytes in
      (0..<bytes.count / 8).map { Int(bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
    }
    let set = CalibrationSet(sequences: [Array(tokens[..<24]), Array(tokens[24...])])
    return (model, try ActivationStatistics(of: model, on: set))
  }

  /// `floor` is the share of the largest value below which errors count as if they were that large.
  private func expect(_ values: [Double]?, equal expected: JSON?, _ what: String, floor: Double = 1e-3) {
    let numbers = (expected?.array ?? []).compactMap(\.double)
    #expect(values?.count == numbers.count, "\(what)")
    let largest = numbers.map(abs).max() ?? 0
    for (value, number) in zip(values ?? [], numbers) {
      #expect(abs(value - number) <= Self.tolerance * max(abs(number), floor * largest), "\(what)")
    }
  }

  @Test(arguments: names) func equalsAnIndependentComputation(name: String) throws {
    let (model, statistics) = try statistics(name)
    let oracle = try #require(Self.oracle[name])
    let sizes = model.hyperparameters
    var minitron = Importance.Settings()
    minitron.neuronSequence = .mean
    let importance = Importance(
      statistics, headDimension: sizes.headDimension, keyValueHeadCount: sizes.keyValueHeadCount, settings: minitron)
    expect(importance[ScopedAxis(.hidden)], equal: oracle["hidden"], "hidden")
    expect(statistics.influence.scores, equal: oracle["influence"], "influence")
    for layer in 0..<sizes.layerCount {
      expect(
        importance[ScopedAxis(.intermediate, layer: layer)], equal: oracle["intermediate"]?.array?[layer],
        "neurons \(layer)")
      expect(
        importance[ScopedAxis(.queryHead, layer: layer)], equal: oracle["queryHead"]?.array?[layer], "heads \(layer)")
      expect(
        statistics.angularDistances[layer], equal: oracle["angularDistances"]?.array?[layer],
        "angular distances \(layer)")
    }
  }

  @Test(arguments: names) func neuronsAreRankedByRootMeanSquareUnlessToldOtherwise(name: String) throws {
    let (model, statistics) = try statistics(name)
    let sizes = model.hyperparameters
    let importance = Importance(
      statistics, headDimension: sizes.headDimension, keyValueHeadCount: sizes.keyValueHeadCount)
    expect(
      importance[ScopedAxis(.intermediate, layer: 0)], equal: Self.oracle[name]?["aggregates"]?["l2.l2"], "neurons")
  }

  @Test(arguments: names) func everyPairOfAggregatesEqualsAnIndependentComputation(name: String) throws {
    let (_, statistics) = try statistics(name)
    let neurons = try #require(statistics.layers[0][.feedForwardInner])
    for sequence in Aggregate.allCases {
      for batch in Aggregate.allCases {
        let pair = "\(sequence.rawValue).\(batch.rawValue)"
        let expected = Self.oracle[name]?["aggregates"]?[pair]
        // The variance of two almost equal numbers keeps few digits of them, here and in F32 activations.
        expect(
          neurons.importance(sequence: sequence, batch: batch), equal: expected, pair,
          floor: batch == .variance ? 1 : 1e-3)
      }
    }
  }

  @Test(arguments: names) func whatScalesFollowFromEqualsAnIndependentComputation(name: String) throws {
    let (_, statistics) = try statistics(name)
    let oracle = try #require(Self.oracle[name])
    let neurons = try #require(statistics.layers[0][.feedForwardInner])
    expect(neurons.means, equal: oracle["means"], "means", floor: 1)
    expect(neurons.meanSquares, equal: oracle["meanSquares"], "mean squares")
    expect(neurons.maxima.map { Double($0) }, equal: oracle["maxima"], "maxima")
    func maxima(_ site: Site) -> [Double] { statistics.layers.map { Double($0[site]?.maximum ?? .nan) } }
    expect(maxima(.value), equal: oracle["valueMaximum"], "values")
    if let keys = oracle["keyMaximum"], !keys.isNull { expect(maxima(.keyRotated), equal: keys, "keys") }

    let counts = (0..<MagnitudeHistogram.binCount).map { oracle["histogram"]?["\($0)"]?.int ?? 0 }
    #expect(neurons.histogram.total == counts.reduce(0, +))
    // The activations differ in their last bits, so a few of them are on the other side of an edge.
    let moved = zip(neurons.histogram.counts, counts).reduce(0) { $0 + abs($1.0 - $1.1) }
    #expect(moved <= 4, "\(moved) of \(neurons.histogram.total)")
  }
}
