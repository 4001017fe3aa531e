import ModelArchitectures
import ModelCompute

/// Weights held in memory, for tests.
struct MemoryWeights: WeightSource {
  struct Tensor: Sendable {
    var shape: [Int]
    var values: [Float]
    var rowCount: Int { shape[0] }
    var rowWidth: Int { shape.dropFirst().reduce(1, *) }
  }

  struct Missing: Error { let key: WeightKey }

  var tensors: [WeightKey: Tensor]

  subscript(key: WeightKey) -> Tensor {
    get { tensors[key]! }
    set { tensors[key] = newValue }
  }

  func shape(of key: WeightKey) throws -> [Int] {
    guard let tensor = tensors[key] else { throw Missing(key: key) }
    return tensor.shape
  }

  func decode(_ key: WeightKey, rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws {
    guard let tensor = tensors[key] else { throw Missing(key: key) }
    let width = tensor.rowWidth
    precondition(values.count == rows.count * width)
    tensor.values.withUnsafeBufferPointer { source in
      _ = values.update(fromContentsOf: source[rows.lowerBound * width..<rows.upperBound * width])
    }
  }
}

/// SplitMix64: the same numbers everywhere.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func values(_ count: Int, in range: ClosedRange<Float>) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }
}

extension MemoryWeights {
  /// Random weights for a model, large enough that every step bends what goes through it.
  static func random(
    _ architecture: Architecture, _ hyperparameters: Hyperparameters, seed: UInt64 = 1
  ) -> MemoryWeights {
    var generator = SeededGenerator(state: seed)
    var tensors: [WeightKey: Tensor] = [:]
    for (key, spec) in architecture.weights(for: hyperparameters) {
      let shape = spec.shape(in: hyperparameters)
      let reach = shape.count == 2 ? 1.7 / Float(shape[1]).squareRoot() : 0.4
      var values = generator.values(shape.reduce(1, *), in: -reach...reach)
      let isScale = shape.count == 1 && key.part == .weight
      if isScale && architecture.normOffset == 0 { values = values.map { $0 + 1 } }
      tensors[key] = Tensor(shape: shape, values: values)
    }
    return MemoryWeights(tensors: tensors)
  }
}

extension Hyperparameters {
  /// A small model of a family with every feature that the family has switched on.
  static func small(_ architecture: Architecture) -> Hyperparameters {
    var model = architecture.defaults
    model.layerCount = 3
    model.hiddenSize = 24
    model.intermediateSize = 20
    model.queryHeadCount = 4
    model.keyValueHeadCount = 2
    model.headDimension = 8
    model.vocabularySize = 37
    model.contextLength = 64
    model.rotary = Rotary(base: 500, dimension: Int(8 * architecture.rotaryFraction))
    model.hasAttentionBias = true
    model.hasFeedForwardBias = true
    if model.slidingWindow != nil { model.slidingWindow = 5 }
    if model.attentionSoftcap != nil { model.attentionSoftcap = 2 }
    if model.logitSoftcap != nil { model.logitSoftcap = 3 }
    if model.queryScalar != nil { model.queryScalar = 11 }
    model.layerKinds = architecture.layerPattern.kinds(layerCount: model.layerCount, firstSlidingLayer: nil)
    return model
  }
}

/// Σ (a − b)² / Σ b²
func normalisedError(_ found: some Sequence<Float>, _ expected: some Sequence<Float>) -> Double {
  var (difference, scale) = (0.0, 0.0)
  for (a, b) in zip(found, expected) {
    let distance = Double(a) - Double(b)
    difference += distance * distance
    scale += Double(b) * Double(b)
  }
  return scale == 0 ? difference : difference / scale
}
