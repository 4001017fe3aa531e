extension Architecture {
  /// Gemma 2: norms before and after, stored as offsets from one; soft-caps; every other layer slides; scaled embeddings.
  public static let gemma2 = Architecture("gemma2") {
    $0.className = "Gemma2ForCausalLM"
    $0.ggufName = "gemma2"
    $0.normOffset = 1
    $0.hasPostNorms = true
    $0.scalesEmbedding = true
    $0.feedForwardBias = .never
    $0.layerPattern = .slidingThenFull
    $0.activationKeys = ["hidden_activation"]
    $0.ggufActivation = .geluTanh
    $0.ggufHasAttentionBias = false
    $0.ggufTiesHead = true
    $0.divisibleByHeads = true
    // The runtime knows the 27B model, the only one that scales by its hidden size, by its layer count.
    $0.ggufQueryScalar = { model in
      model.layerCount == 46 ? Double(model.hiddenSize / max(model.queryHeadCount, 1)) : Double(model.headDimension)
    }
    $0.defaults.activation = .geluTanh
    $0.defaults.normEpsilon = 1e-6
    $0.defaults.contextLength = 8192
    $0.defaults.keyValueHeadCount = 4
    $0.defaults.headDimension = 256
    $0.defaults.tiesHead = true
    $0.defaults.queryScalar = 256
    $0.defaults.slidingWindow = 4096
    $0.defaults.attentionSoftcap = 50
    $0.defaults.logitSoftcap = 30
    $0.huggingFaceNames = [.feedForwardNorm: "model.layers.\(WeightSpec.layerMark).pre_feedforward_layernorm"]
    $0.fields = [
      .attentionBias,
      ConfigField(["query_pre_attn_scalar"], gguf: nil, .optionalDouble(\.queryScalar)),
      ConfigField(["attn_logit_softcapping"], gguf: "attn_logit_softcapping", .optionalDouble(\.attentionSoftcap)),
      ConfigField(["final_logit_softcapping"], gguf: "final_logit_softcapping", .optionalDouble(\.logitSoftcap)),
      ConfigField(["sliding_window"], gguf: "attention.sliding_window", .optionalInt(\.slidingWindow)),
    ]
  }
}
