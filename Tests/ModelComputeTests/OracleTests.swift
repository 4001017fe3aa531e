import MTConvTestSupport
import ModelArchitectures
import ModelCompute
import SafetensorsFormat
import TensorFormats
import Testing

/// Every step and every gradient against transformers and torch autograd, on the pico checkpoints (Fixtures/generate).
struct OracleTests {
  /// Relative, by norms. F32 sums of a few dozen terms in another order.
  static let siteTolerance = 1e-5
  static let gradientTolerance = 1e-4
  static let logitTolerance = 1e-10

  static let models = [
    "llama-pico", "llama-rope3-pico", "qwen2-pico", "qwen3-pico", "gemma2-pico", "nemotron-pico", "phi-pico",
  ]

  @Test(arguments: models)
  func everySiteAgreesWithTheModuleThatComputesIt(_ name: String) throws {
    let pico = try Pico(name)
    let names = pico.moduleNames()
    let sites = Set(pico.network.program.blocks.joined().map(\.output))
    var compared = 0
    let output = try pico.network.run(
      pico.batch, observing: sites,
      observer: { seen in
        for module in names[SiteOfLayer(seen.layer, seen.site)] ?? [] {
          let expected = try pico.oracle.values("\(module):output")
          let error = normalisedError(seen.values.values, expected[seen.rows, width: seen.values.columns])
          #expect(error.squareRoot() < Self.siteTolerance, "\(module): \(error.squareRoot())")
          compared += 1
        }
      })
    #expect(compared == names.values.joined().count)
    let final = try pico.network.finalHidden(output)
    let norm = pico.name(of: WeightKey(.finalNorm))
    let expected = try pico.oracle.values("\(norm):output")
    #expect(normalisedError(final.values, expected).squareRoot() < Self.siteTolerance)
  }

  @Test(arguments: models)
  func logitsAgree(_ name: String) throws {
    let pico = try Pico(name)
    let hidden = try pico.network.finalHidden(pico.network.run(pico.batch))
    var worst = 0.0
    try pico.network.head().forEachPanel(hidden, tokensPerPanel: 10) { rows, logits in
      let expected = try pico.oracle.values("logits")[rows, width: logits.columns]
      worst = max(worst, normalisedError(logits.values, expected))
    }
    #expect(worst < Self.logitTolerance)
    let alone = try pico.network.logits(Array(pico.batch.tokens[pico.batch.sequences[1]]))
    let expected = try pico.oracle.values("logits")[pico.batch.sequences[1], width: alone.columns]
    #expect(normalisedError(alone.values, expected) < Self.logitTolerance)
  }

  @Test(arguments: models)
  func lossAndEveryGradientAgree(_ name: String) throws {
    let pico = try Pico(name)
    let gradients = Gradients()
    let loss = try pico.network.accumulateGradients(
      of: CrossEntropy(nextTokensOf: pico.batch), over: pico.batch, into: gradients, tokensPerPanel: 20)
    let expectedLoss = try Double(pico.oracle.values("loss")[0])
    #expect(abs(loss - expectedLoss) < 1e-5 * expectedLoss)
    for (key, _) in pico.architecture.weights(for: pico.hyperparameters) {
      let name = "\(pico.name(of: key)).\(key.part.rawValue)"
      let found = try #require(gradients[key], "\(key)")
      let expected = try pico.oracle.values("grad:\(name)")
      #expect(found.count == expected.count)
      // A key bias shifts all scores of a query alike: its gradient is zero but for rounding.
      let isNoise = expected.allSatisfy { abs($0) < 1e-6 }
      let error =
        isNoise ? Double(found.array.map(abs).max() ?? 0) : normalisedError(found.values, expected).squareRoot()
      #expect(error < Self.gradientTolerance, "\(name): \(error)")
    }
  }
}

private struct SiteOfLayer: Hashable {
  let layer: Int
  let site: Site
  init(_ layer: Int, _ site: Site) { (self.layer, self.site) = (layer, site) }
}

/// A pico checkpoint with what transformers computes from it.
struct Pico {
  let architecture: Architecture
  let hyperparameters: Hyperparameters
  let weights: MemoryWeights
  let network: Network
  let oracle: SafetensorsFile
  let batch: TokenBatch

  init(_ name: String) throws {
    let table = PicoTable.named(name)
    architecture = table.architecture
    hyperparameters = table.hyperparameters
    let file = try SafetensorsFile(path: Fixture.path("models/\(name)/model.safetensors"))
    var weights = MemoryWeights(tensors: [:])
    for (key, spec) in architecture.weights(for: hyperparameters) {
      let name = spec.huggingFaceName(layer: key.layer)
      weights[key] = MemoryWeights.Tensor(shape: try file.entry(name).info.shape, values: try file.values(name))
    }
    self.weights = weights
    network = Network(architecture: architecture, hyperparameters: hyperparameters, weights: weights)
    oracle = try SafetensorsFile(path: Fixture.path("models/\(name)/oracle.safetensors"))
    batch = TokenBatch(try oracle.integerRows("tokens"))
  }

  /// The name of a weight's module.
  func name(of key: WeightKey) -> String {
    let spec = architecture.weightSpecs(for: hyperparameters).first { $0.role == key.role && $0.part == key.part }!
    return spec.huggingFaceName(layer: key.layer).split(separator: ".").dropLast().joined(separator: ".")
  }

  /// The modules that compute a site: those of linear and norm weights, and the block itself.
  fileprivate func moduleNames() -> [SiteOfLayer: [String]] {
    var names: [SiteOfLayer: [String]] = [:]
    for (layer, steps) in network.program.blocks.enumerated() {
      names[SiteOfLayer(layer, .blockOutput)] = ["model.layers.\(layer)"]
      for step in steps {
        let role: WeightRole? =
          switch step {
          case .linear(let linear): linear.weight
          case .norm(let norm): norm.weight
          case .embed, .rotate, .attend, .activate, .multiply, .add, .softcap: nil
          }
        if let role { names[SiteOfLayer(layer, step.output)] = [name(of: WeightKey(role, layer: layer))] }
      }
    }
    return names
  }
}

extension [Float] {
  /// The values of some rows.
  fileprivate subscript(rows: Range<Int>, width width: Int) -> ArraySlice<Float> {
    self[rows.lowerBound * width..<rows.upperBound * width]
  }
}

extension SafetensorsFile {
  /// The values of an F32 tensor.
  func values(_ name: String) throws -> [Float] {
    withBytes(of: try entry(name)) { bytes in
      stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: Float.self) }
    }
  }

  /// The rows of an I64 matrix.
  fileprivate func integerRows(_ name: String) throws -> [[Int]] {
    let entry = try entry(name)
    let width = entry.info.shape[1]
    return withBytes(of: entry) { bytes in
      (0..<entry.info.shape[0]).map { row in
        (0..<width).map { Int(bytes.loadUnaligned(fromByteOffset: 8 * (row * width + $0), as: Int64.self)) }
      }
    }
  }
}
