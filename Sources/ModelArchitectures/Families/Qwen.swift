extension Architecture {
  /// Qwen 2 and 2.5: biases on query, key and value only.
  public static let qwen2 = Architecture("qwen2") {
    $0.className = "Qwen2ForCausalLM"
    $0.ggufName = "qwen2"
    $0.ggufFixesAttentionWidth = true
    $0.queryKeyValueBias = .always
    $0.attentionOutputBias = .never
    $0.feedForwardBias = .never
    $0.layerPattern = .slidingFromConfigured(firstLayer: 28, window: 4096)
    $0.defaults.keyValueHeadCount = 32
    $0.defaults.normEpsilon = 1e-6
    $0.defaults.contextLength = 32768
    $0.fields = [.slidingWindow]
  }

  /// Qwen 3: a norm on each query and key head, and heads whose size is free.
  public static let qwen3 = Architecture("qwen3") {
    $0.className = "Qwen3ForCausalLM"
    $0.ggufName = "qwen3"
    $0.ggufHasAttentionBias = false
    $0.hasQueryKeyNorm = true
    $0.feedForwardBias = .never
    $0.layerPattern = .slidingFromConfigured(firstLayer: 28, window: 4096)
    $0.defaults.keyValueHeadCount = 32
    $0.defaults.normEpsilon = 1e-6
    $0.defaults.contextLength = 32768
    $0.defaults.headDimension = 128
    $0.fields = [.attentionBias, .slidingWindow]
  }
}
