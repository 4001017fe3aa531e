import ModelArchitectures

/// The sizes of the pico checkpoints, as their config.json says them.
struct PicoTable {
  let architecture: Architecture
  let hyperparameters: Hyperparameters

  private init(
    _ architecture: Architecture, layers: Int = 3, hidden: Int, intermediate: Int, heads: (Int, Int), head: Int,
    epsilon: Double, rotary: Rotary, isTied: Bool, _ configure: (inout Hyperparameters) -> Void = { _ in }
  ) {
    var model = architecture.defaults
    model.layerCount = layers
    model.hiddenSize = hidden
    model.intermediateSize = intermediate
    (model.queryHeadCount, model.keyValueHeadCount) = heads
    model.headDimension = head
    model.vocabularySize = 104
    model.normEpsilon = epsilon
    model.rotary = rotary
    model.tiesHead = isTied
    model.layerKinds = architecture.layerPattern.kinds(layerCount: layers, firstSlidingLayer: nil)
    configure(&model)
    self.architecture = architecture
    hyperparameters = model
  }

  static func named(_ name: String) -> PicoTable { all[name]! }

  private static let all: [String: PicoTable] = [
    "llama-pico": PicoTable(
      .llama, hidden: 32, intermediate: 96, heads: (4, 2), head: 8, epsilon: 3e-5,
      rotary: Rotary(base: 7000, dimension: 8), isTied: true),
    "llama-rope3-pico": PicoTable(
      .llama, hidden: 40, intermediate: 72, heads: (4, 2), head: 16, epsilon: 2e-5,
      rotary: Rotary(
        base: 350, dimension: 16,
        scaling: .llama3(factor: 6, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 32)),
      isTied: false
    ) { ($0.hasAttentionBias, $0.hasFeedForwardBias) = (true, true) },
    "qwen2-pico": PicoTable(
      .qwen2, hidden: 48, intermediate: 80, heads: (6, 2), head: 8, epsilon: 5e-5,
      rotary: Rotary(base: 20000, dimension: 8), isTied: false),
    "qwen3-pico": PicoTable(
      .qwen3, hidden: 40, intermediate: 64, heads: (4, 2), head: 12, epsilon: 7e-6,
      rotary: Rotary(base: 30000, dimension: 12), isTied: true),
    "gemma2-pico": PicoTable(
      .gemma2, layers: 4, hidden: 36, intermediate: 56, heads: (4, 2), head: 10, epsilon: 4e-6,
      rotary: Rotary(base: 3000, dimension: 10), isTied: true
    ) {
      $0.queryScalar = 24
      $0.slidingWindow = 8
      ($0.attentionSoftcap, $0.logitSoftcap) = (2, 3)
    },
    "nemotron-pico": PicoTable(
      .nemotron, hidden: 40, intermediate: 88, heads: (6, 2), head: 8, epsilon: 6e-5,
      rotary: Rotary(base: 4000, dimension: 4), isTied: false),
    "phi-pico": PicoTable(
      .phi, hidden: 40, intermediate: 72, heads: (2, 2), head: 20, epsilon: 8e-5,
      rotary: Rotary(base: 5000, dimension: 8), isTied: false),
  ]
}
