extension Architecture {
  /// The weight table of a model of these hyperparameters: the rows of one layer stand once.
  public func weightSpecs(for hyperparameters: Hyperparameters) -> [WeightSpec] {
    WeightRole.allCases.filter { hasRole($0, hyperparameters) }.flatMap { role in
      hasBias(role, hyperparameters) ? [spec(role, .weight), spec(role, .bias)] : [spec(role, .weight)]
    }
  }

  /// The row of the table that a tensor belongs to, whether or not a particular model has it.
  public func spec(of key: WeightKey) -> WeightSpec { spec(key.role, key.part) }

  /// Every tensor of a model, layer by layer, with its row of the table.
  public func weights(for hyperparameters: Hyperparameters) -> [(key: WeightKey, spec: WeightSpec)] {
    let specs = weightSpecs(for: hyperparameters)
    let inLayer = specs.filter(\.role.isPerLayer)
    func row(_ spec: WeightSpec, _ layer: Int?) -> (key: WeightKey, spec: WeightSpec) {
      (WeightKey(spec.role, spec.part, layer: layer), spec)
    }
    return specs.filter { $0.role == .embedding }.map { row($0, nil) }
      + (0..<hyperparameters.layerCount).flatMap { layer in inLayer.map { row($0, layer) } }
      + specs.filter { $0.role == .finalNorm || $0.role == .head }.map { row($0, nil) }
  }

  /// Number of trained parameters; a tied head counts once.
  public func parameterCount(for hyperparameters: Hyperparameters) -> Int {
    weights(for: hyperparameters).reduce(0) { $0 + $1.spec.shape(in: hyperparameters).reduce(1, *) }
  }

  func hasBias(_ role: WeightRole, _ hyperparameters: Hyperparameters) -> Bool {
    switch role {
    case .embedding, .queryNorm, .keyNorm: false
    case .attentionNorm, .attentionPostNorm, .feedForwardNorm, .feedForwardPostNorm, .finalNorm: norm == .layer
    case .query, .key, .value: queryKeyValueBias.applies(to: hyperparameters)
    case .attentionOutput: attentionOutputBias.applies(to: hyperparameters)
    case .gate, .up, .down: feedForwardBias.applies(to: hyperparameters)
    case .head: headBias.applies(to: hyperparameters)
    }
  }

  private func hasRole(_ role: WeightRole, _ hyperparameters: Hyperparameters) -> Bool {
    switch role {
    case .embedding, .attentionNorm, .query, .key, .value, .attentionOutput, .up, .down, .finalNorm: true
    case .queryNorm, .keyNorm: hasQueryKeyNorm
    case .attentionPostNorm, .feedForwardPostNorm: hasPostNorms
    case .feedForwardNorm: !isParallel
    case .gate: isGated
    case .head: !hyperparameters.tiesHead
    }
  }

  private func dimensions(of role: WeightRole) -> [Dimension] {
    switch role {
    case .embedding, .head: [[.vocabulary], [.hidden]]
    case .attentionNorm, .attentionPostNorm, .feedForwardNorm, .feedForwardPostNorm, .finalNorm: [[.hidden]]
    case .query: [[.queryHead, .headDimension], [.hidden]]
    case .key, .value: [[.keyValueHead, .headDimension], [.hidden]]
    case .queryNorm, .keyNorm: [[.headDimension]]
    case .attentionOutput: [[.hidden], [.queryHead, .headDimension]]
    case .gate, .up: [[.intermediate], [.hidden]]
    case .down: [[.hidden], [.intermediate]]
    }
  }

  private func transform(of role: WeightRole, _ part: WeightKey.Part) -> GGUFTransform {
    switch role {
    case .query: interleavesRotaryInGGUF ? .interleaveRotary(heads: .queryHead) : .identity
    case .key: interleavesRotaryInGGUF ? .interleaveRotary(heads: .keyValueHead) : .identity
    case .attentionNorm, .queryNorm, .keyNorm, .attentionPostNorm, .feedForwardNorm, .feedForwardPostNorm, .finalNorm:
      normOffset == 1 && part == .weight ? .addOne : .identity
    case .embedding, .value, .attentionOutput, .gate, .up, .down, .head: .identity
    }
  }

  private func spec(_ role: WeightRole, _ part: WeightKey.Part) -> WeightSpec {
    let dimensions = dimensions(of: role)
    return WeightSpec(
      role: role, part: part, dimensions: part == .bias ? Array(dimensions.prefix(1)) : dimensions,
      huggingFaceTemplate: (huggingFaceNames[role] ?? Self.huggingFaceName(of: role)) + ".\(part.rawValue)",
      ggufTemplate: (ggufNames[role] ?? Self.ggufName(of: role)) + ".\(part.rawValue)",
      transform: transform(of: role, part))
  }

  private static func huggingFaceName(of role: WeightRole) -> String {
    let layer = "model.layers.\(WeightSpec.layerMark)"
    return switch role {
    case .embedding: "model.embed_tokens"
    case .attentionNorm: "\(layer).input_layernorm"
    case .query: "\(layer).self_attn.q_proj"
    case .key: "\(layer).self_attn.k_proj"
    case .value: "\(layer).self_attn.v_proj"
    case .queryNorm: "\(layer).self_attn.q_norm"
    case .keyNorm: "\(layer).self_attn.k_norm"
    case .attentionOutput: "\(layer).self_attn.o_proj"
    case .attentionPostNorm: "\(layer).post_attention_layernorm"
    case .feedForwardNorm: "\(layer).post_attention_layernorm"
    case .gate: "\(layer).mlp.gate_proj"
    case .up: "\(layer).mlp.up_proj"
    case .down: "\(layer).mlp.down_proj"
    case .feedForwardPostNorm: "\(layer).post_feedforward_layernorm"
    case .finalNorm: "model.norm"
    case .head: "lm_head"
    }
  }

  private static func ggufName(of role: WeightRole) -> String {
    let layer = "blk.\(WeightSpec.layerMark)"
    return switch role {
    case .embedding: "token_embd"
    case .attentionNorm: "\(layer).attn_norm"
    case .query: "\(layer).attn_q"
    case .key: "\(layer).attn_k"
    case .value: "\(layer).attn_v"
    case .queryNorm: "\(layer).attn_q_norm"
    case .keyNorm: "\(layer).attn_k_norm"
    case .attentionOutput: "\(layer).attn_output"
    case .attentionPostNorm: "\(layer).post_attention_norm"
    case .feedForwardNorm: "\(layer).ffn_norm"
    case .gate: "\(layer).ffn_gate"
    case .up: "\(layer).ffn_up"
    case .down: "\(layer).ffn_down"
    case .feedForwardPostNorm: "\(layer).post_ffw_norm"
    case .finalNorm: "output_norm"
    case .head: "output"
    }
  }
}
