import Testing

@testable import ModelArchitectures
@testable import ModelCompute

/// The backward pass of each kind of step against central differences of its forward pass.
struct StepGradientTests {
  /// Relative, by norms. The forward pass is F32 and differences lose half of its digits.
  static let tolerance = 1e-3
  static let distance: Float = 1e-2

  @Test(arguments: StepCase.all)
  func backwardAgreesWithDifferences(_ example: StepCase) throws {
    var generator = SeededGenerator(state: 11)
    var inputs: [Site: Matrix] = [:]
    for (site, width) in example.inputs {
      inputs[site] = Matrix(
        rows: StepCase.batch.rows, columns: width, generator.values(StepCase.batch.rows * width, in: -1.5...1.5))
    }
    let output = try example.forward(inputs, example.weights)
    let direction = Matrix(rows: output.rows, columns: output.columns, generator.values(output.count, in: -1...1))
    let (siteGradients, weightGradients) = try example.backward(inputs, direction)

    for (site, _) in example.inputs {
      let found = try #require(siteGradients[site], "\(site)")
      let expected = try Self.differences(inputs[site]!.array) { values in
        var changed = inputs
        changed[site] = Matrix(rows: found.rows, columns: found.columns, values)
        return Self.product(try example.forward(changed, example.weights), direction)
      }
      #expect(normalisedError(found.values, expected).squareRoot() < Self.tolerance, "\(site)")
    }
    for key in example.weights.tensors.keys {
      let found = try #require(weightGradients[key], "\(key)")
      let expected = try Self.differences(example.weights[key].values) { values in
        var changed = example.weights
        changed[key].values = values
        return Self.product(try example.forward(inputs, changed), direction)
      }
      #expect(normalisedError(found.values, expected).squareRoot() < Self.tolerance, "\(key)")
    }
  }

  private static func product(_ left: Matrix, _ right: Matrix) -> Double {
    zip(left.values, right.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// (f(x + ε) − f(x − ε)) / 2ε for every value of x.
  private static func differences(_ x: [Float], _ function: ([Float]) throws -> Double) throws -> [Float] {
    try x.indices.map { index in
      var (above, below) = (x, x)
      above[index] += distance
      below[index] -= distance
      let step = Double(above[index]) - Double(below[index])
      return Float(try (function(above) - function(below)) / step)
    }
  }
}

/// A step with its inputs and weights.
struct StepCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let step: Step
  let inputs: [(site: Site, width: Int)]
  let weights: MemoryWeights

  static let batch = TokenBatch([[1, 3, 0, 2, 1, 4, 4], [2, 3]])

  static let model = {
    var model = Hyperparameters()
    model.hiddenSize = 6
    model.vocabularySize = 5
    (model.queryHeadCount, model.keyValueHeadCount, model.headDimension) = (4, 2, 4)
    return model
  }()

  init(_ name: String, _ step: Step, _ inputs: [(Site, Int)], _ shapes: [(WeightRole, WeightKey.Part, [Int])] = []) {
    testDescription = name
    self.step = step
    self.inputs = inputs
    var generator = SeededGenerator(state: 12)
    var tensors: [WeightKey: MemoryWeights.Tensor] = [:]
    for (role, part, shape) in shapes {
      tensors[WeightKey(role, part, layer: role == .embedding ? nil : 0)] = MemoryWeights.Tensor(
        shape: shape, values: generator.values(shape.reduce(1, *), in: -1...1))
    }
    weights = MemoryWeights(tensors: tensors)
  }

  private func frame(_ inputs: [Site: Matrix], _ weights: MemoryWeights) throws -> Frame {
    let context = NetworkContext(hyperparameters: Self.model)
    let layer = weights.tensors.keys.contains { $0.layer == nil } ? nil : 0
    let loaded = try StepWeights(of: [step], layer: layer, from: weights, workspace: context.workspace) {
      weights[$0].shape
    }
    var frame = Frame(weights: loaded, batch: Self.batch, past: .empty, network: context)
    for (site, matrix) in inputs { frame.sites.set(matrix, at: site) }
    return frame
  }

  func forward(_ inputs: [Site: Matrix], _ weights: MemoryWeights) throws -> Matrix {
    try step.executable.forward(frame(inputs, weights))
  }

  func backward(_ inputs: [Site: Matrix], _ gradient: Matrix) throws -> ([Site: Matrix], Gradients) {
    var frame = try frame(inputs, weights)
    frame.sites.set(try step.executable.forward(frame), at: step.output)
    // Only what the step says it needs may be looked at.
    var saved = Frame(weights: frame.weights, batch: frame.batch, past: frame.past, network: frame.network)
    for site in step.executable.savedSites { saved.sites.set(frame.sites[site], at: site) }
    var sites = SiteGradients(workspace: nil)
    let gradients = Gradients()
    try step.executable.backward(gradient, saved, &sites, gradients)
    return (Dictionary(uniqueKeysWithValues: self.inputs.map { ($0.site, sites.take($0.site)!) }), gradients)
  }
}

extension StepCase {
  static let all: [StepCase] = norms + rotations + attentions + activations + others

  private static let norms: [StepCase] = [
    norm("RMS norm", .rms, width: 6),
    norm("RMS norm stored as an offset", .rms, offset: 1, width: 6),
    norm("RMS norm of each head", .rms, heads: .keyValueHead, width: 8),
    norm("layer norm with bias", .layer, hasBias: true, width: 6),
    norm("layer norm with bias stored as an offset", .layer, hasBias: true, offset: 1, width: 6),
  ]

  private static func norm(
    _ name: String, _ kind: NormKind, hasBias: Bool = false, offset: Double = 0, heads: Axis? = nil, width: Int
  ) -> StepCase {
    let size = heads == nil ? width : model.headDimension
    let bias: [(WeightRole, WeightKey.Part, [Int])] = hasBias ? [(.attentionNorm, .bias, [size])] : []
    return StepCase(
      name,
      .norm(
        NormStep(
          kind: kind, weight: .attentionNorm, hasBias: hasBias, offset: offset, epsilon: 1e-3, heads: heads,
          input: .blockInput, output: .attentionInput)),
      [(.blockInput, width)], [(.attentionNorm, .weight, [size])] + bias)
  }

  private static let rotations: [StepCase] = [
    ("all channels", Rotary(base: 20, dimension: 4)),
    ("half of the channels", Rotary(base: 20, dimension: 2)),
    ("linear scaling", Rotary(base: 20, dimension: 4, scaling: .linear(factor: 3))),
    (
      "llama 3 scaling",
      Rotary(
        base: 20, dimension: 4,
        scaling: .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 20))
    ),
  ].map { name, rotary in
    StepCase(
      "rotation of \(name)",
      .rotate(RotateStep(heads: .queryHead, rotary: rotary, input: .query, output: .queryRotated)), [(.query, 16)])
  }

  private static let attentions: [StepCase] = [
    ("attention", nil, nil), ("attention with a window", nil, 3), ("attention with a soft-cap", 0.8, nil),
    ("attention with both", 0.8, 2),
  ].map { name, softcap, window in
    StepCase(
      name,
      .attend(
        AttendStep(
          query: .queryRotated, key: .keyRotated, value: .value, scale: 0.4, softcap: softcap, window: window,
          output: .attended)),
      [(.queryRotated, 16), (.keyRotated, 8), (.value, 8)])
  }

  private static let activations: [StepCase] = Activation.allCases.map { activation in
    StepCase(
      activation.rawValue, .activate(ActivateStep(activation: activation, input: .gate, output: .activated)),
      [(.gate, 19)])
  }

  private static let others: [StepCase] = [
    StepCase(
      "embedding", .embed(EmbedStep(weight: .embedding, scale: 1.5, output: .embedding)), [],
      [(.embedding, .weight, [5, 6])]),
    StepCase(
      "linear", .linear(LinearStep(weight: .up, hasBias: true, input: .feedForwardInput, output: .up)),
      [(.feedForwardInput, 6)], [(.up, .weight, [7, 6]), (.up, .bias, [7])]),
    StepCase(
      "product", .multiply(MultiplyStep(left: .activated, right: .up, output: .feedForwardInner)),
      [(.activated, 17), (.up, 17)]),
    StepCase(
      "sum of three",
      .add(AddStep(inputs: [.blockInput, .attentionOutput, .feedForwardOutput], output: .blockOutput)),
      [(.blockInput, 6), (.attentionOutput, 6), (.feedForwardOutput, 6)]),
    StepCase(
      "a site added to itself", .add(AddStep(inputs: [.blockInput, .blockInput], output: .blockOutput)),
      [(.blockInput, 6)]),
    StepCase("soft-cap", .softcap(SoftcapStep(limit: 0.9, input: .headOutput, output: .logits)), [(.headOutput, 18)]),
  ]
}
