import ModelArchitectures
import Testing

@testable import ModelCompute

/// What must hold for any family, whatever its weights.
struct NetworkPropertyTests {
  /// Squared and relative: F32 sums in another order.
  static let tolerance = 1e-10

  static let sequences = [[5, 0, 17, 36, 2, 2, 9, 11, 30], [7], [1, 36, 4, 4, 21]]

  private static func logits(_ network: Network, _ batch: TokenBatch = TokenBatch(sequences)) throws -> Matrix {
    try network.head().logits(network.finalHidden(network.run(batch)))
  }

  @Test(arguments: Model.all)
  func sequencesDoNotSeeEachOther(_ model: Model) throws {
    let batch = TokenBatch(Self.sequences)
    let together = try Self.logits(model.network(), batch)
    for (tokens, rows) in zip(Self.sequences, batch.sequences) {
      let alone = try model.network().logits(tokens)
      #expect(normalisedError(alone.values, together.view(rows: rows).values) < Self.tolerance)
    }
  }

  @Test(arguments: Model.all)
  func laterTokensDoNotChangeEarlierLogits(_ model: Model) throws {
    let tokens = Self.sequences[0]
    let whole = try model.network().logits(tokens)
    let start = try model.network().logits(Array(tokens.prefix(4)))
    #expect(normalisedError(start.values, whole.view(rows: 0..<4).values) < Self.tolerance)
  }

  @Test(arguments: Model.all)
  func aRunMayStopAndGoOnAtAnyBlock(_ model: Model) throws {
    let batch = TokenBatch(Self.sequences)
    let network = model.network()
    let whole = try network.run(batch)
    for cut in 0...model.sizes.layerCount {
      let first = try network.run(batch, layers: 0..<cut)
      let before = first.array
      let second = try network.run(batch, from: first, layers: cut..<model.sizes.layerCount)
      #expect(second.array == whole.array)
      #expect(first.array == before, "the input of a run is not written")
    }
  }

  @Test(arguments: Model.all)
  func reorderedNeuronsChangeNothing(_ model: Model) throws {
    var generator = SeededGenerator(state: 21)
    let expected = try Self.logits(model.network())
    let order = Array(0..<model.sizes.intermediateSize).shuffled(using: &generator)
    let found = try Self.logits(model.reordered(.intermediate, order, layer: 1).network())
    #expect(normalisedError(found.values, expected.values) < Self.tolerance)
  }

  @Test(arguments: Model.all)
  func reorderedHeadsChangeNothing(_ model: Model) throws {
    let expected = try Self.logits(model.network())
    // Key heads change places with their groups of query heads, and so do the heads of a group.
    let groups = [1, 0]
    let size = model.sizes.queryHeadCount / model.sizes.keyValueHeadCount
    let heads = groups.flatMap { group in (0..<size).reversed().map { group * size + $0 } }
    let found = try Self.logits(
      model.reordered(.keyValueHead, groups, layer: 1).reordered(.queryHead, heads, layer: 1).network())
    #expect(normalisedError(found.values, expected.values) < Self.tolerance)
  }

  @Test(arguments: Model.all)
  func reorderedChannelsChangeNothing(_ model: Model) throws {
    var generator = SeededGenerator(state: 22)
    let expected = try Self.logits(model.network())
    let order = Array(0..<model.sizes.hiddenSize).shuffled(using: &generator)
    let found = try Self.logits(model.reordered(.hidden, order, layer: nil).network())
    #expect(normalisedError(found.values, expected.values) < Self.tolerance)
  }

  @Test(arguments: Model.all)
  func deadNeuronsCanBeRemoved(_ model: Model) throws {
    let dead = 3
    var silenced = model
    for (key, spec) in model.architecture.weights(for: model.sizes)
    where spec.dimensions[0] == [.intermediate] && (key.role == .up || key.role == .gate) {
      let width = silenced.weights[key].rowWidth
      for index in 0..<width { silenced.weights[key].values[dead * width + index] = 0 }
    }
    var removed = silenced
    let kept = (0..<model.sizes.intermediateSize).filter { $0 != dead }
    for layer in 0..<model.sizes.layerCount { removed = removed.reordered(.intermediate, kept, layer: layer) }
    removed.sizes.intermediateSize -= 1
    let expected = try Self.logits(silenced.network())
    let found = try Self.logits(removed.network())
    #expect(normalisedError(found.values, expected.values) < Self.tolerance)
  }

  @Test(arguments: Model.all)
  func aPastStandsForTheTokensThatAreGone(_ model: Model) throws {
    let network = model.network()
    let tokens = Self.sequences[0]
    let whole = try network.embed(TokenBatch([tokens]))
    let cut = 6
    for layer in 0..<2 {
      let block = try network.block(layer)
      let expected = try block.forward(whole, batch: TokenBatch([tokens]))
      var sites: [Site: Matrix] = [:]
      _ = try block.forward(
        whole.view(rows: 0..<cut), batch: TokenBatch([Array(tokens[..<cut])]), observing: [.keyRotated, .value],
        observer: { sites[$0] = $1 })
      let past = KeyValueState(sequences: [(keys: sites[.keyRotated]!, values: sites[.value]!)])
      let rest = TokenBatch([Array(tokens[cut...])], positionOffset: cut)
      let found = try block.forward(whole.view(rows: cut..<tokens.count), batch: rest, past: past)
      #expect(normalisedError(found.values, expected.view(rows: cut..<tokens.count).values) < Self.tolerance)
    }
  }

  /// The slope of the loss along a random direction of all weights, against the gradient.
  @Test(arguments: Model.all)
  func gradientsAgreeWithDifferences(_ model: Model) throws {
    let batch = TokenBatch(Self.sequences)
    let loss = CrossEntropy(nextTokensOf: batch)
    let (_, gradients) = try model.network().gradients(of: loss, over: batch)
    var generator = SeededGenerator(state: 23)
    var (above, below) = (model, model)
    var expected = 0.0
    // Along the gradient itself with a little noise, so that the slope is large against the rounding of the loss.
    let size = gradients.matrices.values.reduce(0.0) { $0 + $1.values.reduce(0.0) { $0 + Double($1 * $1) } }
      .squareRoot()
    for key in model.weights.tensors.keys.sorted(by: { "\($0)" < "\($1)" }) {
      let gradient = try #require(gradients[key], "\(key)").array
      for (index, slope) in gradient.enumerated() {
        let direction = (slope + Float.random(in: -0.01...0.01, using: &generator)) / Float(size)
        above.weights[key].values[index] += 5e-3 * direction
        below.weights[key].values[index] -= 5e-3 * direction
        expected += Double(slope) * Double(direction)
      }
    }
    let found = try (Self.loss(above, batch, loss) - Self.loss(below, batch, loss)) / 1e-2
    #expect(abs(found - expected) < 0.01 * abs(expected), "\(found) \(expected)")
  }

  private static func loss(_ model: Model, _ batch: TokenBatch, _ loss: CrossEntropy) throws -> Double {
    let network = model.network()
    var total = 0.0
    try network.head().forEachPanel(network.finalHidden(network.run(batch)), tokensPerPanel: 4) { rows, logits in
      total += loss.evaluate(logits, rows: rows)
    }
    return total
  }
}

/// A small random model of a family.
struct Model: Sendable, CustomTestStringConvertible {
  let architecture: Architecture
  var sizes: Hyperparameters
  var weights: MemoryWeights

  static let all = Architecture.all.map { Model($0) }

  init(_ architecture: Architecture) {
    self.architecture = architecture
    sizes = .small(architecture)
    weights = .random(architecture, sizes)
  }

  var testDescription: String { architecture.name }

  func network() -> Network { Network(architecture: architecture, hyperparameters: sizes, weights: weights) }

  /// The model with only these indices of an axis, in this order: of one layer, or of all weights if the axis is the model's.
  func reordered(_ axis: Axis, _ order: [Int], layer: Int?) -> Model {
    var result = self
    for (key, spec) in architecture.weights(for: sizes) where layer == nil || key.layer == layer {
      for (position, dimension) in spec.dimensions.enumerated() where dimension.axes.contains(axis) {
        let inner = dimension.axes.drop { $0 != axis }.dropFirst().reduce(1) { $0 * sizes.size(of: $1) }
        let indices = order.flatMap { index in (0..<inner).map { index * inner + $0 } }
        result.weights[key] = result.weights[key].selecting(indices, dimension: position)
      }
    }
    return result
  }
}

extension MemoryWeights.Tensor {
  fileprivate func selecting(_ indices: [Int], dimension: Int) -> Self {
    var shape = shape
    let width = rowWidth
    shape[dimension] = indices.count
    if dimension == 0 {
      return Self(shape: shape, values: indices.flatMap { values[$0 * width..<($0 + 1) * width] })
    }
    let rows = (0..<rowCount).flatMap { row in indices.map { values[row * width + $0] } }
    return Self(shape: shape, values: rows)
  }
}
