extension Architecture {
  /// Phi-1, 1.5 and 2: attention and feed-forward in parallel behind one LayerNorm, biases everywhere, partly rotated heads.
  public static let phi = Architecture("phi") {
    let layer = "model.layers.\(WeightSpec.layerMark)"
    $0.className = "PhiForCausalLM"
    $0.ggufName = "phi2"
    $0.norm = .layer
    $0.isParallel = true
    $0.isGated = false
    $0.queryKeyValueBias = .always
    $0.attentionOutputBias = .always
    $0.feedForwardBias = .always
    $0.headBias = .always
    $0.ggufFixesAttentionWidth = true
    $0.ggufActivation = .geluTanh
    $0.defaults.activation = .geluTanh
    $0.defaults.normEpsilon = 1e-5
    $0.defaults.contextLength = 2048
    $0.rotaryFraction = 0.5
    $0.huggingFaceNames = [
      .attentionOutput: "\(layer).self_attn.dense",
      .up: "\(layer).mlp.fc1",
      .down: "\(layer).mlp.fc2",
      .finalNorm: "model.final_layernorm",
    ]
    $0.fields = [
      ConfigField(["layer_norm_eps"], gguf: "attention.layer_norm_epsilon", .double(\.normEpsilon))
    ]
  }
}
