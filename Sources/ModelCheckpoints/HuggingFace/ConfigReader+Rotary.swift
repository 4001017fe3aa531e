internal import ModelArchitectures
internal import TensorFormats

extension ConfigReader {
  // transformers 5 gathers everything in `rope_parameters`; 4 has `rope_theta`, `rope_scaling` and `partial_rotary_factor`.
  func rotary(_ model: Hyperparameters) throws -> Rotary {
    let parameters = try parameters()
    func number(_ key: String) throws -> Double? {
      if let inner = parameters?[key], !inner.isNull { return try Self.double(inner, key) }
      return try double(key)
    }
    let base = try number("rope_theta") ?? architecture.defaults.rotary.base
    guard base > 0 else { throw Self.outOfRange("rope_theta", base, "more than 0") }
    let fraction = try number("partial_rotary_factor") ?? architecture.rotaryFraction
    guard fraction > 0, fraction <= 1 else {
      throw Self.outOfRange("partial_rotary_factor", fraction, "more than 0 and at most 1")
    }
    guard fraction == 1 || architecture.rotaryFraction != 1 else {
      throw CheckpointError(
        .unsupportedFeature,
        "config.json: 'partial_rotary_factor' is \(fraction), '\(architecture.name)' rotates whole heads")
    }
    let dimension = Int(Double(model.headDimension) * fraction)
    return Rotary(base: base, dimension: dimension, scaling: try scaling(parameters, model))
  }

  private func parameters() throws -> JSON? {
    // In transformers a `rope_scaling` that says anything takes the place of `rope_parameters`.
    for key in ["rope_scaling", "rope_parameters"] {
      guard let value = config[key] else { continue }
      guard let object = value.object else { throw Self.wrongType(key, "an object", value) }
      if !object.isEmpty { return value }
    }
    return nil
  }

  private func scaling(_ parameters: JSON?, _ model: Hyperparameters) throws -> RotaryScaling {
    guard let parameters else { return .none }
    let type = try type(of: parameters)
    func number(_ key: String) throws -> Double {
      guard let value = parameters[key], !value.isNull else {
        throw CheckpointError(.invalidConfig, "config.json: rotary scaling '\(type)' has no '\(key)'")
      }
      let number = try Self.double(value, key)
      guard number > 0 else { throw Self.outOfRange(key, number, "more than 0") }
      return number
    }
    switch type {
    case "default": return .none
    case "linear": return .linear(factor: try number("factor"))
    case "llama3":
      let (low, high) = (try number("low_freq_factor"), try number("high_freq_factor"))
      guard low < high else { throw Self.outOfRange("high_freq_factor", high, "more than 'low_freq_factor' (\(low))") }
      return .llama3(
        factor: try number("factor"), lowFrequencyFactor: low, highFrequencyFactor: high,
        originalContext: try originalContext(parameters, model))
    default:
      throw CheckpointError(.unsupportedFeature, "config.json: 'rope_type' is '\(type)', which is not supported")
    }
  }

  private func type(of parameters: JSON) throws -> String {
    for key in ["rope_type", "type"] {
      guard let value = parameters[key], !value.isNull else { continue }
      guard let type = value.string else { throw Self.wrongType(key, "a string", value) }
      return type
    }
    return "default"
  }

  // As in transformers, the context of the model itself stands in. Of two numbers transformers' own code takes now one, now the other.
  private func originalContext(_ parameters: JSON, _ model: Hyperparameters) throws -> Int {
    let key = "original_max_position_embeddings"
    let inner = try parameters[key].flatMap { $0.isNull ? nil : try Self.int($0, key) }
    let outer = try int(key)
    if let inner, let outer, inner != outer {
      throw CheckpointError(.invalidConfig, "config.json: '\(key)' is \(outer), and \(inner) in the rotary scaling")
    }
    let context = inner ?? outer ?? model.contextLength
    guard context > 0 else { throw Self.outOfRange(key, Double(context), "more than 0") }
    return context
  }

  private static func outOfRange(_ key: String, _ found: Double, _ expected: String) -> CheckpointError {
    CheckpointError(.invalidConfig, "config.json: '\(key)' is \(found), expected \(expected)")
  }
}
