import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCompression

/// Scales with the least error of the output: errors of weights count as the inputs they are multiplied with.
@Suite struct OutputSearchTests {
  private static let granularities: [ScaleGranularity] = [.tensor, .row, .block(rows: 8, columns: 16)]

  private struct Numbers {
    var state: UInt64
    mutating func next() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 24) - 0.5
    }
  }

  /// A matrix, and how much its columns count: a few far more than the rest.
  private static func example(seed: UInt64, rows: Int = 20, columns: Int = 40) -> (LazyTensor, [Float]) {
    var numbers = Numbers(state: seed)
    let values = (0..<rows * columns).map { _ -> Float in
      let x = numbers.next()
      return x * x * x * 0.3
    }
    let powers = (0..<columns).map { $0 % 7 == 3 ? 1 : 0.001 * (numbers.next() + 0.5) }
    return (LazyTensor(values, shape: [rows, columns]), powers)
  }

  /// Σ power · (w − scale · code)² in double precision, from codes and scales.
  private static func weightedError(_ weight: Weight, _ values: LazyTensor, _ powers: [Float]) throws -> Double {
    let numbers = try values.decoded()
    var decoded = [Float](repeating: 0, count: numbers.count)
    try decoded.withUnsafeMutableBufferPointer { try weight.decode(rows: 0..<values.rowCount, into: $0) }
    return zip(numbers, decoded).enumerated().reduce(0) { sum, item in
      let error = Double(item.element.0) - Double(item.element.1)
      return sum + Double(powers[item.offset % powers.count]) * error * error
    }
  }

  private static func quantized(
    _ values: LazyTensor, _ granularity: ScaleGranularity, _ search: QuantizationScheme.Search, _ powers: [Float],
    format: ElementFormat = .bf16
  ) -> WeightQuantizer {
    WeightQuantizer(
      Weight(values), name: "w", granularity, rule: ScaleRule(format: format, search: search), rounding: .single,
      powers: powers)
  }

  @Test(arguments: granularities, [ElementFormat.bf16, .f32])
  func hasNeverMoreErrorThanTheOtherRules(_ granularity: ScaleGranularity, _ format: ElementFormat) throws {
    var gained = false
    for seed: UInt64 in 1...6 {
      let (values, powers) = Self.example(seed: seed)
      let errors = try [QuantizationScheme.Search.outputError, .meanSquaredError, .none].map {
        try Self.weightedError(
          Self.quantized(values, granularity, $0, powers, format: format).quantized, values, powers)
      }
      #expect(errors[0] <= errors[1] * 1.0001 && errors[0] <= errors[2] * 1.0001, "\(errors)")
      gained = gained || errors[0] < errors[1] * (granularity == .tensor ? 1 : 0.98)
    }
    #expect(gained)
  }

  /// All candidates tried one by one, each block on its own, with the codec and in double precision.
  @Test(arguments: granularities) func findsWhatTryingEverythingFinds(_ granularity: ScaleGranularity) throws {
    let (values, powers) = Self.example(seed: 11, rows: 11, columns: 37)
    let found = try #require(Self.quantized(values, granularity, .outputError, powers).quantized.scale).values.decoded()
    let numbers = try values.decoded()
    let grid = granularity.gridShape(of: values.shape)
    let rule = ScaleRule(format: .bf16, search: .outputError)
    for block in 0..<grid[0] * grid[1] {
      let members = numbers.indices.filter { index in
        let (row, column) = (index / 37, index % 37)
        return (row / granularity.block.rows) * grid[1] + column / granularity.block.columns == block
      }
      func error(_ scale: Float) -> Double {
        members.reduce(0) { sum, index in
          let code = Float8E4M3.encode(numbers[index] / scale, overflow: .saturate)
          let error = Double(numbers[index]) - Double(scale * Float8E4M3.decode(code))
          return sum + Double(powers[index % 37]) * error * error
        }
      }
      let candidates = try rule.candidates(
        maximum: members.map { numbers[$0].magnitude }.max()!, name: "w")
      #expect(candidates.contains(found[block]))
      #expect(error(found[block]) <= candidates.map(error).min()! * 1.0001)
    }
  }

  @Test func whereAllColumnsCountAlikeItIsTheLeastSquaredError() throws {
    let (values, _) = Self.example(seed: 3)
    for granularity in Self.granularities {
      let same = [Float](repeating: 1, count: 40)
      let output = Self.quantized(values, granularity, .outputError, same).quantized
      let plain = Self.quantized(values, granularity, .meanSquaredError, same).quantized
      #expect(try output.values.bytes() == plain.values.bytes())
    }
  }

  @Test func measuresTheErrorOfTheOutput() throws {
    let (values, powers) = Self.example(seed: 5)
    for granularity in Self.granularities {
      let quantizer = Self.quantized(values, granularity, .outputError, powers)
      _ = try quantizer.measured()
      let noise = quantizer.measuredOutputs.reduce(0) { $0 + $1.noise }
      let signal = quantizer.measuredOutputs.reduce(0) { $0 + $1.signal }
      let expected = try Self.weightedError(quantizer.quantized, values, powers)
      #expect(abs(noise / expected - 1) < 1e-3)
      let numbers = try values.decoded()
      let squares = numbers.indices.reduce(0.0) { $0 + Double(powers[$1 % 40] * numbers[$1] * numbers[$1]) }
      #expect(abs(signal / squares - 1) < 1e-4)
    }
  }

  // MARK: Powers of inputs

  @Test func aPowerIsKeptToASixteenthOfAnOctave() throws {
    let squares = [8.0, 1, 0.37, 5e-4, 0, 1e-30]
    let powers = InputPowers(layers: [[.attended: squares]])
    let weights = try #require(powers.weights(at: .attended, layer: 0))
    for (weight, square) in zip(weights, squares).prefix(4) {
      #expect(abs(Double(weight) * 8 / square - 1) < 0.045)
    }
    #expect(weights[0] == 1 && weights[4] == 0 && weights[5] == 0)
    #expect(powers.weights(at: .attentionInput, layer: 0) == nil && powers.weights(at: .attended, layer: 1) == nil)
    let again: InputPowers = try JSON(encoding: powers).decoded()
    #expect(again == powers)
    for text in ["0", "0g", "ｆｆ"] {
      let broken: InputPowers = try JSON.object(["layers": [["attended": .string(text)]]]).decoded()
      #expect(broken.weights(at: .attended, layer: 0) == nil)
    }
  }

  @Test(arguments: QuantizationScheme.Kind.allCases)
  func aModelIsQuantizedAndRepeatedFromItsRecipe(_ kind: QuantizationScheme.Kind) throws {
    let parent = try Pico.checkpoint("llama")
    let statistics = try ActivationStatistics(of: parent, on: Pico.tokens())
    let scheme = QuantizationScheme(
      kind: kind, search: .outputError, ranges: kind == .fp8Static ? ActivationRanges(statistics) : nil,
      inputPowers: InputPowers(statistics))
    let recipe = Recipe(parent: parent, output: .huggingFace, elementFormat: .bf16, quantization: scheme)
    let folder = TemporaryFolder()
    let quantized = try recipe.applied(to: parent)
    try quantized.write(to: folder.file("fp8"), as: .huggingFace)
    let report = try QuantizationReport(of: quantized)
    #expect(report.meanOutputSignalToNoise ?? 0 > 25)
    #expect(report.tensors.allSatisfy { $0.outputSignalToNoise ?? 0 > 20 })
    let written = try Checkpoint(path: folder.file("fp8"))
    #expect(try Recipe(of: written)?.quantization == scheme)
    #expect(try Verifier().verify(written, against: parent, on: Pico.tokens()).passes)
    guard kind == .fp8Static else { return }
    for roles: [WeightRole] in [[.query, .key, .value], [.gate, .up]] {
      let scales = try roles.map { try written.weights[WeightKey($0, layer: 1)]?.scale?.values.decoded() }
      #expect(Set(scales).count == 1, "engines fuse them")
    }
  }

  @Test func needsTheStatisticsOfTheModel() throws {
    let model = try Pico.checkpoint("llama")
    let short = InputPowers(layers: .init(repeating: [.attentionInput: [1, 2]], count: 3))
    for powers in [nil, InputPowers(layers: []), InputPowers(layers: [[:], [:], [:]]), short] {
      let error = #expect(throws: CompressionError.self) {
        _ = try model.quantized(by: QuantizationScheme(search: .outputError, inputPowers: powers))
      }
      #expect(error?.code == .wrongStatistics)
    }
  }
}
