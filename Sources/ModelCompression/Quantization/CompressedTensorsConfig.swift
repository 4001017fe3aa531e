internal import OrderedCollections
internal import TensorFormats

/// The `quantization_config` that compressed-tensors 0.19 writes and vLLM and transformers read.
enum CompressedTensorsConfig {
  /// `FP8_DYNAMIC`: channel-wise weights, token-wise dynamic activations.
  static func fp8Dynamic(ignoring modules: [String]) -> JSON {
    [
      "config_groups": [
        "FP8_DYNAMIC": [
          "format": "float-quantized",
          "input_activations": arguments(strategy: "token", isDynamic: true),
          "output_activations": nil,
          "targets": ["Linear"],
          "weights": arguments(strategy: "channel", isDynamic: false),
        ]
      ],
      "format": "float-quantized",
      "global_compression_ratio": nil,
      "ignore": .array(modules.map { .string($0) }),
      "kv_cache_scheme": nil,
      "quant_method": "compressed-tensors",
      "quantization_status": "compressed",
      "transform_config": [:],
      "version": "0.19.0",
    ]
  }

  private static func arguments(strategy: String, isDynamic: Bool) -> JSON {
    [
      "actorder": nil, "block_structure": nil, "dynamic": .bool(isDynamic), "group_size": nil, "num_bits": 8,
      "observer": nil, "observer_kwargs": [:], "scale_dtype": nil, "strategy": .string(strategy), "symmetric": true,
      "type": "float", "zp_dtype": nil,
    ]
  }
}
