extension Architecture {
  /// Nemotron and Minitron 4B/8B: LayerNorm with weights stored as offsets from one, squared ReLU without a gate, partly rotated heads.
  public static let nemotron = Architecture("nemotron") {
    $0.className = "NemotronForCausalLM"
    $0.ggufName = "nemotron"
    $0.norm = .layer
    $0.normOffset = 1
    $0.isGated = false
    $0.ggufFixesAttentionWidth = true
    $0.ggufTiesHead = false
    $0.ggufActivation = .squaredReLU
    $0.defaults.activation = .squaredReLU
    $0.defaults.normEpsilon = 1e-5
    $0.defaults.contextLength = 4096
    $0.rotaryFraction = 0.5
    $0.fields = [
      .attentionBias, .feedForwardBias,
      ConfigField(["norm_eps"], gguf: "attention.layer_norm_epsilon", .double(\.normEpsilon)),
    ]
  }
}
