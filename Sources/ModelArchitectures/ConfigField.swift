/// One row of the table between hyperparameters and the configuration keys of the two file formats.
public struct ConfigField: Sendable {
  /// Keys of `config.json`, the first of which is written.
  public let huggingFace: [String]
  /// Key of GGUF metadata behind the architecture's name; nil if GGUF cannot say it.
  public let gguf: String?
  public let value: Value

  /// The hyperparameter, by its type.
  public enum Value: Sendable {
    case int(any WritableKeyPath<Hyperparameters, Int> & Sendable)
    case double(any WritableKeyPath<Hyperparameters, Double> & Sendable)
    case bool(any WritableKeyPath<Hyperparameters, Bool> & Sendable)
    case optionalInt(any WritableKeyPath<Hyperparameters, Int?> & Sendable)
    case optionalDouble(any WritableKeyPath<Hyperparameters, Double?> & Sendable)
  }

  public init(_ huggingFace: [String], gguf: String?, _ value: Value) {
    self.huggingFace = huggingFace
    self.gguf = gguf
    self.value = value
  }

  /// Rows that every family has. Rotary parameters, layer kinds and activations are spelled in several ways and are read apart.
  static let common: [ConfigField] = [
    ConfigField(["num_hidden_layers"], gguf: "block_count", .int(\.layerCount)),
    ConfigField(["max_position_embeddings"], gguf: "context_length", .int(\.contextLength)),
    ConfigField(["hidden_size"], gguf: "embedding_length", .int(\.hiddenSize)),
    ConfigField(["intermediate_size"], gguf: "feed_forward_length", .int(\.intermediateSize)),
    ConfigField(["num_attention_heads"], gguf: "attention.head_count", .int(\.queryHeadCount)),
    ConfigField(["num_key_value_heads"], gguf: "attention.head_count_kv", .int(\.keyValueHeadCount)),
    ConfigField(["head_dim"], gguf: "attention.key_length", .int(\.headDimension)),
    ConfigField(["vocab_size"], gguf: "vocab_size", .int(\.vocabularySize)),
    ConfigField(["rms_norm_eps"], gguf: "attention.layer_norm_rms_epsilon", .double(\.normEpsilon)),
    ConfigField(["tie_word_embeddings"], gguf: nil, .bool(\.tiesHead)),
  ]

  /// Families whose GGUF form has no window.
  static let slidingWindow = ConfigField(["sliding_window"], gguf: nil, .optionalInt(\.slidingWindow))
  static let attentionBias = ConfigField(["attention_bias"], gguf: nil, .bool(\.hasAttentionBias))
  static let feedForwardBias = ConfigField(["mlp_bias"], gguf: nil, .bool(\.hasFeedForwardBias))
}

extension Architecture {
  /// The configuration rows of the family: the common ones, with its own in place of those for the same hyperparameter.
  public var configFields: [ConfigField] {
    let own = Set(fields.map(\.value.path))
    return ConfigField.common.filter { !own.contains($0.value.path) } + fields
  }

  /// The configuration row of a hyperparameter; nil for those that are read apart.
  public func field(of path: PartialKeyPath<Hyperparameters>) -> ConfigField? {
    configFields.first { $0.value.path == path }
  }
}

extension ConfigField.Value {
  /// Identifies the hyperparameter.
  var path: PartialKeyPath<Hyperparameters> {
    switch self {
    case .int(let path): path
    case .double(let path): path
    case .bool(let path): path
    case .optionalInt(let path): path
    case .optionalDouble(let path): path
    }
  }
}
