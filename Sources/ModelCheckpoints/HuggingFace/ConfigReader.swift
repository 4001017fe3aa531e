internal import ModelArchitectures
internal import OrderedCollections
internal import TensorFormats

/// Reads hyperparameters from a `config.json`, in the key styles of transformers 4 and 5.
///
/// What the configuration says and this package cannot compute is refused, never ignored.
struct ConfigReader {
  let config: ModelConfig
  let architecture: Architecture

  init(_ config: ModelConfig) throws {
    self.config = config
    guard let modelType = config["model_type"]?.string else {
      throw CheckpointError(.invalidConfig, "config.json has no 'model_type'")
    }
    guard let architecture = Architecture.named(modelType) else {
      let known = Architecture.all.map(\.name).joined(separator: ", ")
      throw CheckpointError(.unsupportedFamily, "model_type '\(modelType)' is not supported, expected one of: \(known)")
    }
    self.architecture = architecture
  }

  func hyperparameters() throws -> Hyperparameters {
    var result = architecture.defaults
    result.keyValueHeadCount = 0
    for field in architecture.configFields { try read(field, into: &result) }
    try result.fillDerived()
    result.activation = try activation()
    result.rotary = try rotary(headDimension: result.headDimension)
    try readLayerKinds(into: &result)
    try refuseUnsupported()
    try result.validate()
    return result
  }

  private func read(_ field: ConfigField, into result: inout Hyperparameters) throws {
    guard let key = field.huggingFace.first(where: { config[$0] != nil }) else {
      // An explicit null switches an optional feature off; an absent key means the family's default.
      guard let key = field.huggingFace.first, config.object[key] != nil else { return }
      switch field.value {
      case .optionalInt(let path): result[keyPath: path] = nil
      case .optionalDouble(let path): result[keyPath: path] = nil
      case .int, .double, .bool: break
      }
      return
    }
    let value = config[key]!
    switch field.value {
    case .int(let path): result[keyPath: path] = try int(value, key)
    case .double(let path): result[keyPath: path] = try double(value, key)
    case .bool(let path): result[keyPath: path] = try bool(value, key)
    case .optionalInt(let path): result[keyPath: path] = try int(value, key)
    case .optionalDouble(let path): result[keyPath: path] = try double(value, key)
    }
  }

  private func activation() throws -> Activation {
    let key = architecture.activationKeys.first { config[$0] != nil }
    guard let key else { return architecture.defaults.activation }
    guard let name = config[key]?.string, let activation = Activation(huggingFaceName: name) else {
      throw CheckpointError(.unsupportedFeature, "'\(key)' is \(config[key]!.serialized()), which is not supported")
    }
    return activation
  }

  // transformers 5 gathers everything in `rope_parameters`; 4 has `rope_theta`, `rope_scaling` and `partial_rotary_factor`.
  private func rotary(headDimension: Int) throws -> Rotary {
    let parameters = config["rope_parameters"] ?? config["rope_scaling"]
    func value(_ key: String) -> JSON? {
      if let inner = parameters?[key], !inner.isNull { return inner }
      return config[key]
    }
    let base = try value("rope_theta").map { try double($0, "rope_theta") } ?? architecture.defaults.rotary.base
    let fraction =
      try value("partial_rotary_factor").map { try double($0, "partial_rotary_factor") } ?? architecture.rotaryFraction
    let dimension = Double(headDimension) * fraction
    guard fraction > 0, fraction <= 1, base > 0, base.isFinite else {
      throw CheckpointError(.invalidConfig, "rotary base \(base) and fraction \(fraction) make no sense")
    }
    return Rotary(base: base, dimension: Int(dimension), scaling: try scaling(parameters))
  }

  private func scaling(_ parameters: JSON?) throws -> RotaryScaling {
    guard let parameters else { return .none }
    guard let object = parameters.object else {
      throw CheckpointError(.invalidConfig, "rotary parameters are not an object")
    }
    if object.values.contains(where: { $0.object != nil }) {
      throw CheckpointError(.unsupportedFeature, "rotary parameters that differ by layer are not supported")
    }
    let type = parameters["rope_type"]?.string ?? parameters["type"]?.string ?? "default"
    func number(_ key: String) throws -> Double {
      guard let value = parameters[key] else {
        throw CheckpointError(.invalidConfig, "rotary scaling '\(type)' has no '\(key)'")
      }
      return try double(value, key)
    }
    switch type {
    case "default": return .none
    case "linear": return .linear(factor: try number("factor"))
    case "llama3":
      guard let original = parameters["original_max_position_embeddings"] else { fallthrough }
      return .llama3(
        factor: try number("factor"), lowFrequencyFactor: try number("low_freq_factor"),
        highFrequencyFactor: try number("high_freq_factor"),
        originalContext: try int(original, "original_max_position_embeddings"))
    default: throw CheckpointError(.unsupportedFeature, "rotary scaling '\(type)' is not supported")
    }
  }

  private func readLayerKinds(into result: inout Hyperparameters) throws {
    if config["use_sliding_window"]?.bool == false { result.slidingWindow = nil }
    guard let types = config["layer_types"] else {
      let firstSliding = try config["max_window_layers"].map { try int($0, "max_window_layers") }
      result.layerKinds = architecture.layerPattern.kinds(
        layerCount: result.layerCount, firstSlidingLayer: result.slidingWindow == nil ? nil : firstSliding)
      return
    }
    let kinds = try (types.array ?? []).map { type in
      guard let kind = type.string.flatMap(LayerKind.init) else {
        throw CheckpointError(.unsupportedFeature, "layer type \(type.serialized()) is not supported")
      }
      return kind
    }
    guard kinds.count == result.layerCount else {
      throw CheckpointError(
        .invalidConfig, "'layer_types' has \(kinds.count) entries, 'num_hidden_layers' is \(result.layerCount)")
    }
    result.layerKinds = kinds
  }

  /// Switches that change what the model computes and that no family here implements.
  private func refuseUnsupported() throws {
    for key in ["qk_layernorm", "use_bidirectional_attention", "use_qk_norm"] where config[key]?.bool == true {
      throw CheckpointError(.unsupportedFeature, "'\(key)' is true, which is not supported")
    }
  }

  // MARK: Typed values

  private func int(_ value: JSON, _ key: String) throws -> Int {
    guard let number = value.int else { throw wrongType(key, "an integer", value) }
    return number
  }

  private func double(_ value: JSON, _ key: String) throws -> Double {
    guard let number = value.double, number.isFinite else { throw wrongType(key, "a number", value) }
    return number
  }

  private func bool(_ value: JSON, _ key: String) throws -> Bool {
    guard let flag = value.bool else { throw wrongType(key, "true or false", value) }
    return flag
  }

  private func wrongType(_ key: String, _ expected: String, _ found: JSON) -> CheckpointError {
    CheckpointError(.invalidConfig, "config.json: '\(key)' is \(found.serialized()), expected \(expected)")
  }
}
