import MTConvTestSupport
import ModelArchitectures
import SafetensorsFormat
import TensorFormats
import Testing

@testable import ModelCompute

/// Rounding of activations against torch.float8_e4m3fn, and whole forward passes with it against transformers with hooks (Fixtures/generate).
struct ActivationRoundingTests {
  /// Sums in another order now and then carry a value over a tie to the next code, 6 % away, and all that follows feels it. So most tokens
  /// agree to what F32 allows, and a few may be off by a small share of what rounding does to them, which is above 4e-3.
  static let mostTolerance = 1e-6
  static let totalTolerance = 1e-3

  private let fixture: SafetensorsFile

  init() throws { fixture = try SafetensorsFile(path: Fixture.path("compression/emulation.safetensors")) }

  static let ways: [(String, ActivationRounding)] = [
    ("token", .perToken), ("group", .perGroup(16)), ("power", .perGroupInPowersOfTwo(16)), ("sequence", .perSequence),
    ("calibrated", .calibrated(scale: 0.01)),
  ]

  @Test(arguments: ways)
  func roundsAsTorchDoes(_ name: String, _ rounding: ActivationRounding) throws {
    let input = Matrix(rows: 8, columns: 40, try fixture.values("rows"))
    let output = rounding.rounded(input, sequences: [0..<3, 3..<8], workspace: nil)
    #expect(output.array == (try fixture.values("rows:\(name)")))
    #expect(input.array == (try fixture.values("rows")))
  }

  @Test func withoutSequencesAllRowsAreOne() {
    let input = Matrix(rows: 2, columns: 3, [1, 2, 448, 0.3, 0.7, 0.01])
    let output = ActivationRounding.perSequence.rounded(input, sequences: [], workspace: nil)
    #expect(output.array == ActivationRounding.calibrated(scale: 1).rounded(input, sequences: [], workspace: nil).array)
  }

  @Test func beyondACalibratedScaleIsSaturated() {
    let input = Matrix(rows: 1, columns: 4, [1e9, -1e9, .infinity, 896])
    let output = ActivationRounding.calibrated(scale: 0.5).rounded(input, sequences: [], workspace: nil)
    #expect(output.array == [224, -224, 224, 224])
  }

  // MARK: Whole passes

  private static let scales = (key: Float(0.011), value: Float(0.007))
  private static let inputScales: [Float] = [0.006, 0.006, 0.006, 0.002, 0.005, 0.005, 0.003]

  /// Roundings of every linear weight of every block, in the order of the program.
  private func roundings(
    _ pico: Pico, cached: Bool, _ way: (_ index: Int) -> ActivationRounding
  ) -> EngineRoundings {
    var result = EngineRoundings()
    for (layer, steps) in pico.network.program.blocks.enumerated() {
      var index = 0
      for case .linear(let step) in steps {
        result.inputs[WeightKey(step.weight, layer: layer)] = way(index)
        index += 1
      }
      if cached {
        result.cached[WeightKey(.key, layer: layer)] = .calibrated(scale: Self.scales.key)
        result.cached[WeightKey(.value, layer: layer)] = .calibrated(scale: Self.scales.value)
      }
    }
    return result
  }

  /// Normalised errors of the logits: of the median token, and of all.
  private func errors(
    _ pico: Pico, _ roundings: EngineRoundings, _ name: String
  ) throws -> (most: Double, total: Double) {
    let network = Network(
      architecture: pico.architecture, hyperparameters: pico.hyperparameters, weights: pico.weights,
      roundings: roundings)
    let logits = try network.logits(Array(pico.batch.tokens[pico.batch.sequences[0]]))
    let expected = try fixture.values(name)
    let tokens = (0..<logits.rows).map { row in
      normalisedError(logits[row], expected[row * logits.columns..<(row + 1) * logits.columns])
    }
    return (tokens.sorted()[tokens.count / 2], normalisedError(logits.values, expected))
  }

  private func expectAgreement(_ found: (most: Double, total: Double), _ name: String) {
    #expect(found.most < Self.mostTolerance, "\(name): \(found.most)")
    #expect(found.total < Self.totalTolerance, "\(name): \(found.total)")
  }

  @Test(arguments: OracleTests.models)
  func logitsWithRoundedInputsAndCacheAgree(_ name: String) throws {
    let pico = try Pico(name)
    let label = "\(name.dropLast("-pico".count)):token+cache"
    expectAgreement(try errors(pico, roundings(pico, cached: true) { _ in .perToken }, label), label)
    #expect(try errors(pico, .none, label).total > 2 * Self.totalTolerance)
    #expect(try errors(pico, roundings(pico, cached: false) { _ in .perToken }, label).most > 10 * Self.mostTolerance)
  }

  @Test func logitsWithEachWayOfRoundingAgree() throws {
    let pico = try Pico("llama-pico")
    let ways: [(String, (Int) -> ActivationRounding)] = [
      ("group", { _ in .perGroup(16) }), ("power", { _ in .perGroupInPowersOfTwo(16) }),
      ("sequence", { _ in .perSequence }), ("calibrated", { .calibrated(scale: Self.inputScales[$0]) }),
    ]
    for (name, way) in ways {
      expectAgreement(try errors(pico, roundings(pico, cached: false, way), "llama:\(name)"), name)
    }
  }

  /// What a sequence computes does not depend on which others run with it.
  @Test func sequencesDoNotSeeEachOther() throws {
    let pico = try Pico("llama-pico")
    for way in Self.ways.map(\.1) {
      let network = Network(
        architecture: pico.architecture, hyperparameters: pico.hyperparameters, weights: pico.weights,
        roundings: roundings(pico, cached: true) { _ in way })
      let together = try network.run(pico.batch)
      for (index, rows) in pico.batch.sequences.enumerated() {
        let alone = try network.run(pico.batch[sequences: index..<index + 1])
        #expect(normalisedError(alone.values, together.view(rows: rows).values) < Self.totalTolerance)
      }
    }
  }

  /// Straight through: a gradient that does not know of the rounding, taken at rounded values.
  @Test func gradientsPassARounding() throws {
    let pico = try Pico("llama-pico")
    let network = Network(
      architecture: pico.architecture, hyperparameters: pico.hyperparameters, weights: pico.weights,
      roundings: roundings(pico, cached: true) { _ in .perToken })
    let (rounded, plain) = (Gradients(), Gradients())
    let loss = CrossEntropy(nextTokensOf: pico.batch)
    _ = try network.accumulateGradients(of: loss, over: pico.batch, into: rounded)
    _ = try pico.network.accumulateGradients(of: loss, over: pico.batch, into: plain)
    let key = WeightKey(.query, layer: 0)
    let difference = normalisedError(try #require(rounded[key]).values, try #require(plain[key]).values)
    #expect(difference > 0 && difference < 0.5, "\(difference)")
  }
}
