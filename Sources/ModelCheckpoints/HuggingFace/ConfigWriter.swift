internal import ModelArchitectures
internal import OrderedCollections
internal import TensorFormats

extension ModelConfig {
  /// A configuration for a model that never had one, in the key style that transformers 4 and 5 both read.
  init(architecture: Architecture, hyperparameters: Hyperparameters) {
    var object: JSONObject = [
      "architectures": .array([.string(architecture.className)]),
      "model_type": .string(architecture.name),
    ]
    for field in architecture.configFields { object[field.huggingFace[0]] = field.value.json(in: hyperparameters) }
    // transformers takes no 16.0 for this one.
    if let scalar = object["query_pre_attn_scalar"]?.double.flatMap({ Int(exactly: $0) }) {
      object["query_pre_attn_scalar"] = .int(scalar)
    }
    object[architecture.activationKeys[0]] = .string(hyperparameters.activation.huggingFaceNames[0])
    object["rope_theta"] = .double(hyperparameters.rotary.base)
    if hyperparameters.rotary.scaling != .none { object["rope_scaling"] = hyperparameters.rotary.scaling.json }
    let fraction = hyperparameters.rotaryFraction
    if fraction != 1 || architecture.rotaryFraction != 1 { object["partial_rotary_factor"] = .double(fraction) }
    if architecture.layerPattern != .allFull { object["layer_types"] = hyperparameters.layerTypes }
    object.sort { $0.key < $1.key }
    self.init(object)
  }

  /// The same configuration for a changed model; what did not change keeps its spelling and place.
  func updated(
    from previous: Hyperparameters, to hyperparameters: Hyperparameters, architecture: Architecture
  ) -> ModelConfig {
    var result = self
    for field in architecture.configFields {
      let key = field.huggingFace.first { object[$0] != nil } ?? field.huggingFace[0]
      let value = field.value.json(in: hyperparameters)
      if value != field.value.json(in: previous) { result.object[key] = value }
    }
    // Never left to be derived: hidden ÷ heads is wrong as soon as either is pruned.
    for (key, size) in [
      ("head_dim", hyperparameters.headDimension), ("num_key_value_heads", hyperparameters.keyValueHeadCount),
    ] where self[key] == nil {
      result.object[key] = .int(size)
    }
    if object["layer_types"] != nil || !hyperparameters.followsPattern(of: architecture) {
      result.object["layer_types"] = hyperparameters.layerTypes
    }
    if let limit = object["max_window_layers"]?.int,
      object["num_hidden_layers"] != result.object["num_hidden_layers"]
    {
      result.object["max_window_layers"] = .int(
        hyperparameters.fullLayersBeforeWindow ?? min(limit, hyperparameters.layerCount))
    }
    return result
  }
}

extension Hyperparameters {
  /// The share of a head that is rotated, such that a reader who multiplies and truncates finds the number of channels again.
  var rotaryFraction: Double {
    let size = Double(headDimension)
    let fraction = Double(rotary.dimension) / size
    return Int(size * fraction) < rotary.dimension ? fraction.nextUp : fraction
  }

  /// How many layers stand before the first that looks through a window, where all behind it do, too: Qwen's `max_window_layers`, which
  /// shrinks by every such layer that goes. Nil where no layer has a window or their order is another.
  fileprivate var fullLayersBeforeWindow: Int? {
    guard let first = layerKinds.firstIndex(of: .sliding),
      layerKinds[first...].allSatisfy({ $0 == .sliding })
    else { return nil }
    return first
  }

  var layerTypes: JSON { .array(layerKinds.map { .string($0.rawValue) }) }

  /// Whether a reader that knows only the family and the number of layers finds the right kinds.
  func followsPattern(of architecture: Architecture) -> Bool {
    slidingWindow == nil
      || layerKinds == architecture.layerPattern.kinds(layerCount: layerCount, firstSlidingLayer: nil)
  }
}

extension RotaryScaling {
  /// The `rope_scaling` object of transformers.
  var json: JSON {
    switch self {
    case .none: .null
    case .linear(let factor): ["rope_type": "linear", "factor": .double(factor)]
    case .llama3(let factor, let low, let high, let original):
      [
        "factor": .double(factor), "high_freq_factor": .double(high), "low_freq_factor": .double(low),
        "original_max_position_embeddings": .int(original), "rope_type": "llama3",
      ]
    }
  }
}

extension ConfigField.Value {
  func json(in hyperparameters: Hyperparameters) -> JSON {
    switch self {
    case .int(let path): .int(hyperparameters[keyPath: path])
    case .double(let path): .double(hyperparameters[keyPath: path])
    case .bool(let path): .bool(hyperparameters[keyPath: path])
    case .optionalInt(let path): hyperparameters[keyPath: path].map { .int($0) } ?? .null
    case .optionalDouble(let path): hyperparameters[keyPath: path].map { .double($0) } ?? .null
    }
  }
}

extension JSON {
  /// Equal as values: `1e-05` and `0.00001` are.
  func meansSame(as other: JSON) -> Bool {
    if let a = double, let b = other.double { return a == b }
    return self == other
  }
}
