internal import OrderedCollections
internal import TensorFormats

// Configurations as their producers write them. What is said and not understood is refused: a scale that is read wrong is a model
// that computes nonsense.
extension QuantizationLayout {
  /// What a checkpoint says of its quantization; nil if it says nothing.
  /// - Parameters:
  ///   - config: `config.json`.
  ///   - modelOptConfig: `hf_quant_config.json`, if there is one; older ModelOpt exports have nothing else.
  init?(config: ModelConfig, modelOptConfig: ModelConfig?) throws {
    if let quantization = config["quantization_config"] ?? config["compression_config"] {
      try self.init(quantization)
    } else if let quantization = modelOptConfig?["quantization"] {
      try self.init(modelOpt: quantization)
    } else {
      return nil
    }
  }

  private init(_ json: JSON) throws {
    let method = json["quant_method"]?.string ?? (json["quant_algo"] == nil ? "unknown" : "modelopt")
    switch method {
    case "compressed-tensors", "compressed_tensors": try self.init(compressedTensors: json)
    case "fp8": try self.init(fp8: json)
    case "modelopt": try self.init(modelOpt: json)
    case "fbgemm_fp8":
      self.init(
        dialect: .fbgemm, weights: .row, activations: .perToken, ignored: Self.names(json["modules_to_not_convert"]))
    default: throw CheckpointError(.unsupportedFeature, "quantization method '\(method)' is not supported yet")
    }
  }

  // MARK: compressed-tensors

  private init(compressedTensors json: JSON) throws {
    guard let groups = json["config_groups"]?.object, let first = groups.values.first else {
      throw CheckpointError(.invalidConfig, "config.json: 'quantization_config' has no 'config_groups'")
    }
    for group in groups.values { _ = try Self.granularity(compressedTensors: group["weights"]) }
    self.init(
      dialect: .compressedTensors, weights: try Self.granularity(compressedTensors: first["weights"]),
      activations: try Self.activations(compressedTensors: first["input_activations"]),
      quantizesKeyValueCache: json["kv_cache_scheme"]?.object != nil, ignored: Self.names(json["ignore"]))
  }

  private static func granularity(compressedTensors weights: JSON?) throws -> ScaleGranularity {
    let type = weights?["type"]?.string ?? "unknown"
    let strategy = weights?["strategy"]?.string ?? "unknown"
    if type == "float", (weights?["num_bits"]?.int ?? 8) == 8 {
      switch strategy {
      case "tensor": return .tensor
      case "channel": return .row
      case "block": return try block(weights?["block_structure"], "block_structure")
      case "group":
        if let size = weights?["group_size"]?.int, size > 0 { return .block(rows: 1, columns: size) }
      default: break
      }
    }
    throw CheckpointError(
      .unsupportedFeature, "quantized weights of type '\(type)' by '\(strategy)' are not supported yet")
  }

  private static func activations(compressedTensors inputs: JSON?) throws -> ActivationQuantization {
    guard let inputs, !inputs.isNull else { return .none }
    let strategy = inputs["strategy"]?.string ?? "unknown"
    guard inputs["dynamic"]?.bool == true else {
      if strategy == "tensor" { return .calibrated }
      throw CheckpointError(.unsupportedFeature, "static activations by '\(strategy)' are not supported yet")
    }
    switch strategy {
    case "tensor": return .perTensor
    case "token": return .perToken
    case "group": if let size = inputs["group_size"]?.int, size > 0 { return .perGroup(size) }
    default: break
    }
    throw CheckpointError(.unsupportedFeature, "dynamic activations by '\(strategy)' are not supported yet")
  }

  // MARK: fp8

  private init(fp8 json: JSON) throws {
    let ignored = Self.names(json["ignored_layers"]) + Self.names(json["modules_to_not_convert"])
    let isStatic = json["activation_scheme"]?.string == "static"
    // transformers says so by a key that nobody else writes.
    let isTransformers = json["dequantize"] != nil || json["modules_to_convert"] != nil
    if let size = json["weight_block_size"], !size.isNull {
      let block = try Self.block(size, "weight_block_size")
      guard case .block(_, let columns) = block else { preconditionFailure("a block is a block") }
      self.init(
        dialect: isTransformers ? .transformers : .fp8, weights: block,
        activations: isStatic ? .calibrated : .perGroup(columns), ignored: ignored)
      return
    }
    self.init(
      dialect: isTransformers ? .transformers : .fp8, weights: .tensor,
      activations: isStatic ? .calibrated : .perTensor,
      quantizesKeyValueCache: json["kv_cache_scheme"].map { !$0.isNull } ?? false, ignored: ignored)
  }

  private static func block(_ json: JSON?, _ key: String) throws -> ScaleGranularity {
    if let sizes = json?.array, sizes.count == 2, let rows = sizes[0].int, let columns = sizes[1].int, rows > 0,
      columns > 0
    {
      return .block(rows: rows, columns: columns)
    }
    throw CheckpointError(
      .invalidConfig, "config.json: '\(key)' is \((json ?? .null).serialized()), expected two sizes of at least 1")
  }

  // MARK: ModelOpt

  private init(modelOpt json: JSON) throws {
    let algorithm = json["quant_algo"]?.string ?? "unknown"
    let block = ScaleGranularity.block(rows: QuantizationDialect.blockSize, columns: QuantizationDialect.blockSize)
    let (weights, activations): (ScaleGranularity, ActivationQuantization)
    switch algorithm.uppercased() {
    case "FP8": (weights, activations) = (.tensor, .calibrated)
    case "FP8_PER_CHANNEL_PER_TOKEN": (weights, activations) = (.row, .perToken)
    case "FP8_PB_WO": (weights, activations) = (block, .perGroup(QuantizationDialect.blockSize))
    case "MXFP8": (weights, activations) = (.block(rows: 1, columns: 32), .perGroup(32))
    default:
      throw CheckpointError(.unsupportedFeature, "ModelOpt's algorithm '\(algorithm)' is not supported yet")
    }
    let cache = json["kv_cache_quant_algo"] ?? json["kv_cache_scheme"]
    self.init(
      dialect: .modelOpt, weights: weights, activations: activations,
      quantizesKeyValueCache: cache.map { !$0.isNull } ?? false,
      ignored: Self.names(json["exclude_modules"]) + Self.names(json["ignore"]))
  }

  private static func names(_ json: JSON?) -> [String] { json?.array?.compactMap(\.string) ?? [] }
}
