internal import OrderedCollections
public import TensorFormats

// The configurations that consumers read, key for key as the producers of the reference write them.
extension QuantizationLayout {
  /// `quantization_config` of `config.json`.
  public var config: JSON {
    switch dialect {
    case .compressedTensors: compressedTensorsConfig
    case .fp8: fp8Config
    case .transformers: transformersConfig
    case .modelOpt: modelOptConfig
    case .fbgemm: preconditionFailure("fbgemm is not written")
    }
  }

  /// `hf_quant_config.json`; nil for dialects that have none.
  public var modelOptFile: JSON? {
    guard dialect == .modelOpt else { return nil }
    return [
      "producer": Self.producer,
      "quantization": [
        "quant_algo": .string(modelOptAlgorithm), "kv_cache_quant_algo": quantizesKeyValueCache ? "FP8" : .null,
        "exclude_modules": ignoredNames,
      ],
    ]
  }

  static let modelOptFileName = "hf_quant_config.json"

  private var ignoredNames: JSON { .array(ignored.map { .string($0) }) }
  private var isStatic: Bool { activations == .calibrated }

  // MARK: compressed-tensors 0.19

  private var compressedTensorsConfig: JSON {
    var object: JSONObject = [
      "config_groups": [
        groupName: [
          "format": "float-quantized",
          "input_activations": activationArguments,
          "output_activations": nil,
          "targets": ["Linear"],
          "weights": weightArguments,
        ]
      ],
      "format": "float-quantized",
      "global_compression_ratio": nil,
      "ignore": ignoredNames,
      "kv_cache_scheme": quantizesKeyValueCache ? Self.arguments("tensor") : nil,
      "quant_method": "compressed-tensors",
      "quantization_status": "compressed",
    ]
    // What the tool that calibrates writes and the tool that does not leaves out.
    if isStatic { object["sparsity_config"] = [:] }
    object["transform_config"] = [:]
    object["version"] = "0.19.0"
    return .object(object)
  }

  private var groupName: String {
    switch weights {
    case .row: "FP8_DYNAMIC"
    case .block: "FP8_BLOCK"
    case .tensor: "group_0"
    }
  }

  private var weightArguments: JSON {
    switch weights {
    case .tensor: Self.arguments("tensor", observer: isStatic ? "memoryless_minmax" : nil)
    case .row: Self.arguments("channel")
    case .block(let rows, let columns): Self.arguments("block", block: [.int(rows), .int(columns)])
    }
  }

  private var activationArguments: JSON {
    switch activations {
    case .none: .null
    case .perToken: Self.arguments("token", isDynamic: true)
    case .perTensor: Self.arguments("tensor", isDynamic: true)
    case .perGroup(let size): Self.arguments("group", isDynamic: true, groupSize: size)
    case .calibrated: Self.arguments("tensor", observer: "static_minmax")
    }
  }

  private static func arguments(
    _ strategy: String, isDynamic: Bool = false, groupSize: Int? = nil, block: JSON = nil, observer: JSON = nil
  ) -> JSON {
    [
      "actorder": nil, "block_structure": block, "dynamic": .bool(isDynamic),
      "group_size": groupSize.map { .int($0) } ?? .null, "num_bits": 8, "observer": observer, "observer_kwargs": [:],
      "scale_dtype": nil, "strategy": .string(strategy), "symmetric": true, "type": "float", "zp_dtype": nil,
    ]
  }

  // MARK: fp8

  private var fp8Config: JSON {
    if case .block(let rows, let columns) = weights {
      return [
        "activation_scheme": "dynamic", "fmt": "e4m3", "modules_to_not_convert": ignoredNames, "quant_method": "fp8",
        "weight_block_size": [.int(rows), .int(columns)],
      ]
    }
    var object: JSONObject = [
      "activation_scheme": isStatic ? "static" : "dynamic", "ignored_layers": ignoredNames, "quant_method": "fp8",
    ]
    if quantizesKeyValueCache { object["kv_cache_scheme"] = "static" }
    return .object(object)
  }

  private var transformersConfig: JSON {
    var block: JSON = nil
    if case .block(let rows, let columns) = weights { block = [.int(rows), .int(columns)] }
    return [
      "activation_scheme": isStatic ? "static" : "dynamic", "dequantize": false,
      "modules_to_not_convert": ignoredNames, "quant_method": "fp8", "weight_block_size": block,
    ]
  }

  // MARK: ModelOpt 0.47

  /// Readers ask for this name; the version is that of the layout.
  private static let producer: JSON = ["name": "modelopt", "version": "0.47.0"]

  private var modelOptAlgorithm: String {
    switch weights {
    case .tensor: "FP8"
    case .row: "FP8_PER_CHANNEL_PER_TOKEN"
    case .block: "FP8_PB_WO"
    }
  }

  private var modelOptConfig: JSON {
    let tensor: JSON = ["dynamic": false, "num_bits": 8, "type": "float"]
    var group: JSONObject = [:]
    switch (weights, activations) {
    case (.tensor, _): group = ["input_activations": tensor, "weights": tensor]
    case (.row, _):
      group = [
        "input_activations": ["dynamic": true, "num_bits": 8, "type": "float", "strategy": "token"],
        "weights": ["dynamic": false, "num_bits": 8, "type": "float", "strategy": "channel"],
      ]
    case (.block, _): group = ["weights": ["dynamic": false, "num_bits": 8, "type": "float", "strategy": "block"]]
    }
    group["targets"] = ["Linear"]
    var object: JSONObject = [
      "config_groups": ["group_0": .object(group)], "ignore": ignoredNames, "quant_algo": .string(modelOptAlgorithm),
    ]
    if quantizesKeyValueCache { object["kv_cache_scheme"] = tensor }
    object["producer"] = Self.producer
    object["quant_method"] = "modelopt"
    return .object(object)
  }
}
