public import ModelArchitectures
internal import ModelCheckpoints

/// The largest magnitudes of a model's activations: all that calibrated scales need to know of them.
public struct ActivationRanges: Sendable, Codable, Equatable {
  /// For each layer, the largest magnitude at each site that was measured, by the site's name.
  public var layers: [[String: Float]]

  public init(layers: [[Site: Float]]) {
    self.layers = layers.map { sites in
      Dictionary(uniqueKeysWithValues: sites.map { ($0.key.rawValue, $0.value) })
    }
  }

  public init(_ statistics: ActivationStatistics) {
    self.init(layers: statistics.layers.map { sites in sites.mapValues(\.maximum) })
  }

  /// Those of a model with only some of the layers.
  public func keeping(layers kept: [Int]) -> ActivationRanges {
    var result = self
    result.layers = kept.map { layers[$0] }
    return result
  }

  func maximum(at site: Site, layer: Int) -> Float? {
    layers.indices.contains(layer) ? layers[layer][site.rawValue] : nil
  }
}

/// Where the inputs of a layer's matrices and what its cache keeps stand, from the program.
struct ActivationSites {
  private var inputs: [WeightRole: Site] = [:]
  private var cached: [WeightRole: Site] = [:]

  init(of model: Checkpoint, layer: Int) {
    let program = model.architecture.program(for: model.hyperparameters)
    for step in program.blocks[layer] {
      switch step {
      case .linear(let step): inputs[step.weight] = step.input
      case .attend(let step): cached = [.key: step.key, .value: step.value]
      default: break
      }
    }
  }

  func input(of role: WeightRole) -> Site? { inputs[role] }
  func cache(of role: WeightRole) -> Site? { cached[role] }
}
