internal import ModelArchitectures
public import ModelCheckpoints
public import ModelCompute
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// The forward pass of this model as an engine computes it.
  /// - Throws: `CheckpointError.invalidConfig` for calibrated activations of which a scale is missing or no positive number.
  public func network(_ emulation: Emulation) throws -> Network { network(roundings: try roundings(emulation)) }

  func network(roundings: EngineRoundings) -> Network {
    Network(architecture: architecture, hyperparameters: hyperparameters, weights: self, roundings: roundings)
  }

  /// What an engine rounds to E4M3 that runs this model.
  func roundings(_ emulation: Emulation) throws -> EngineRoundings {
    var result = EngineRoundings()
    if emulation.roundsActivations, let activations = quantization?.activations {
      for (key, weight) in weights where key.role.isLinear && key.part == .weight && weight.scale != nil {
        result.inputs[key] = try inputRounding(of: key, weight, activations)
      }
    }
    let isCached =
      switch emulation.cache {
      case .auto: quantization?.quantizesKeyValueCache ?? false
      case .fp8: true
      case .plain: false
      }
    if isCached {
      for (key, weight) in weights where [.key, .value].contains(key.role) && key.part == .weight {
        let scale = try weight.cacheScale.map { try positive($0, "key-value scale", of: key) }
        result.cached[key] = .calibrated(scale: scale ?? 1)
      }
    }
    return result
  }

  private func inputRounding(
    of key: WeightKey, _ weight: Weight, _ activations: ActivationQuantization
  ) throws -> ActivationRounding? {
    switch activations {
    case .none: return nil
    case .perToken: return .perToken
    case .perTensor: return .perSequence
    // Codes in blocks of powers of two come with inputs in groups of them.
    case .perGroup(let size):
      return weight.scale?.values.format == .f8E8M0 ? .perGroupInPowersOfTwo(size) : .perGroup(size)
    case .calibrated:
      guard let scale = weight.inputScale else {
        throw CheckpointError(
          .invalidConfig,
          "'\(huggingFaceName(of: key))' has no input scale, but the configuration says that activations are calibrated; "
            + "it can be run with weights only")
      }
      return .calibrated(scale: try positive(scale, "input scale", of: key))
    }
  }

  private func positive(_ tensor: LazyTensor, _ what: String, of key: WeightKey) throws -> Float {
    let values = try tensor.decoded()
    guard let scale = values.first, values.count == 1, scale.isFinite, scale > 0 else {
      throw CheckpointError(
        .invalidConfig, "the \(what) of '\(huggingFaceName(of: key))' is \(values), expected one positive number")
    }
    return scale
  }
}
