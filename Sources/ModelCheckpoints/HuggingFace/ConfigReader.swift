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
    guard let value = config["model_type"] else {
      throw CheckpointError(.invalidConfig, "config.json has no 'model_type'")
    }
    guard let modelType = value.string else { throw Self.wrongType("model_type", "a string", value) }
    guard let architecture = Architecture.named(modelType) else {
      let known = Architecture.all.map(\.name).joined(separator: ", ")
      throw CheckpointError(
        .unsupportedFamily,
        "config.json: 'model_type' is '\(modelType)', which is not supported; supported are \(known)")
    }
    self.architecture = architecture
  }

  func hyperparameters() throws -> Hyperparameters {
    var result = architecture.defaults
    for field in architecture.configFields { try read(field, into: &result) }
    try result.fillDerived()
    // Before anything is made in these sizes.
    try result.validate { "config.json: '\(architecture.field(of: $0)?.huggingFace.first ?? "?")'" }
    result.activation = try activation()
    result.rotary = try rotary(result)
    try readLayerKinds(into: &result)
    try refuseUnsupported()
    try result.validateRotary()
    return result
  }

  private func read(_ field: ConfigField, into result: inout Hyperparameters) throws {
    guard let key = field.huggingFace.first(where: { config[$0] != nil }) else {
      return try readAbsent(field, into: &result)
    }
    switch field.value {
    case .int(let path): result[keyPath: path] = try int(key)!
    case .double(let path): result[keyPath: path] = try double(key)!
    case .bool(let path): result[keyPath: path] = try bool(key)!
    case .optionalInt(let path): result[keyPath: path] = try int(key)
    case .optionalDouble(let path): result[keyPath: path] = try double(key)
    }
  }

  /// An absent key means the family's default, an explicit null switches an optional feature off or has a size derived.
  private func readAbsent(_ field: ConfigField, into result: inout Hyperparameters) throws {
    let isNull = field.huggingFace.contains { config.object[$0] != nil }
    switch field.value {
    case .optionalInt(let path): if isNull { result[keyPath: path] = nil }
    case .optionalDouble(let path): if isNull { result[keyPath: path] = nil }
    case .int(let path) where Hyperparameters.isDerivable(path): if isNull { result[keyPath: path] = 0 }
    case .int(let path) where architecture.defaults[keyPath: path] == 0:
      throw CheckpointError(.invalidConfig, "config.json has no '\(field.huggingFace[0])'")
    case .int, .double, .bool: break
    }
  }

  private func activation() throws -> Activation {
    guard let key = architecture.activationKeys.first(where: { config[$0] != nil }) else {
      return architecture.defaults.activation
    }
    let name = try string(key)!
    guard let activation = Activation(huggingFaceName: name) else {
      throw CheckpointError(.unsupportedFeature, "config.json: '\(key)' is '\(name)', which is not supported")
    }
    return activation
  }

  private func readLayerKinds(into result: inout Hyperparameters) throws {
    var firstSliding: Int?
    if case .slidingFromConfigured(let layer, let window) = architecture.layerPattern {
      let slides = try bool("use_sliding_window") ?? false
      if config.object["sliding_window"] == nil { result.slidingWindow = window }
      if !slides { result.slidingWindow = nil }
      if result.slidingWindow != nil { firstSliding = try int("max_window_layers") ?? layer }
    }
    guard let types = config["layer_types"] else {
      result.layerKinds = architecture.layerPattern.kinds(
        layerCount: result.layerCount, firstSlidingLayer: firstSliding)
      return
    }
    guard let array = types.array else { throw Self.wrongType("layer_types", "an array", types) }
    guard array.count == result.layerCount else {
      throw CheckpointError(
        .invalidConfig,
        "config.json: 'layer_types' has \(array.count) entries, 'num_hidden_layers' is \(result.layerCount)")
    }
    result.layerKinds = try array.map { type in
      guard let name = type.string else { throw Self.wrongType("layer_types", "an array of strings", type) }
      guard let kind = LayerKind(rawValue: name) else {
        throw CheckpointError(.unsupportedFeature, "config.json: 'layer_types' has '\(name)', which is not supported")
      }
      return kind
    }
  }

  /// Switches that change what the model computes and that no family here implements.
  private func refuseUnsupported() throws {
    for key in ["qk_layernorm", "use_bidirectional_attention", "use_qk_norm"] where try bool(key) == true {
      throw CheckpointError(.unsupportedFeature, "config.json: '\(key)' is true, which is not supported")
    }
    // A null is as good as false to transformers, which then lets every token see every other.
    if let isCausal = config.object["is_causal"], isCausal != true {
      throw CheckpointError(
        .unsupportedFeature, "config.json: 'is_causal' is \(isCausal.serialized()), which is not supported")
    }
  }
}
