extension Architecture {
  /// The forward pass of a model of these hyperparameters.
  public func program(for hyperparameters: Hyperparameters) -> Program {
    let scale = scalesEmbedding ? Double(hyperparameters.hiddenSize).squareRoot() : 1
    return Program(
      prologue: [.embed(EmbedStep(weight: .embedding, scale: scale, output: .embedding))],
      blocks: (0..<hyperparameters.layerCount).map { block($0, hyperparameters) },
      epilogue: [norm(.finalNorm, .blockInput, .finalHidden, hyperparameters)],
      head: head(hyperparameters))
  }

  private func block(_ layer: Int, _ model: Hyperparameters) -> [Step] {
    var steps = attention(layer, model)
    var attention = Site.attentionOutput
    if hasPostNorms {
      steps.append(norm(.attentionPostNorm, .attentionOutput, .attentionOutputNormed, model))
      attention = .attentionOutputNormed
    }
    if !isParallel {
      steps.append(.add(AddStep(inputs: [.blockInput, attention], output: .attentionResidual)))
      steps.append(norm(.feedForwardNorm, .attentionResidual, .feedForwardInput, model))
    }
    steps += feedForward(from: isParallel ? .attentionInput : .feedForwardInput, model)
    var feedForward = Site.feedForwardOutput
    if hasPostNorms {
      steps.append(norm(.feedForwardPostNorm, .feedForwardOutput, .feedForwardOutputNormed, model))
      feedForward = .feedForwardOutputNormed
    }
    let terms: [Site] = isParallel ? [.blockInput, attention, feedForward] : [.attentionResidual, feedForward]
    return steps + [.add(AddStep(inputs: terms, output: .blockOutput))]
  }

  private func attention(_ layer: Int, _ model: Hyperparameters) -> [Step] {
    var steps: [Step] = [
      norm(.attentionNorm, .blockInput, .attentionInput, model),
      linear(.query, .attentionInput, .query, model),
      linear(.key, .attentionInput, .key, model),
      linear(.value, .attentionInput, .value, model),
    ]
    var (query, key) = (Site.query, Site.key)
    if hasQueryKeyNorm {
      steps.append(norm(.queryNorm, query, .queryNormed, heads: .queryHead, model))
      steps.append(norm(.keyNorm, key, .keyNormed, heads: .keyValueHead, model))
      (query, key) = (.queryNormed, .keyNormed)
    }
    let rotary = model.rotary
    steps.append(.rotate(RotateStep(heads: .queryHead, rotary: rotary, input: query, output: .queryRotated)))
    steps.append(.rotate(RotateStep(heads: .keyValueHead, rotary: rotary, input: key, output: .keyRotated)))
    steps.append(
      .attend(
        AttendStep(
          query: .queryRotated, key: .keyRotated, value: .value, scale: model.attentionScale,
          softcap: model.attentionSoftcap, window: model.window(ofLayer: layer), output: .attended)))
    steps.append(linear(.attentionOutput, .attended, .attentionOutput, model))
    return steps
  }

  private func feedForward(from input: Site, _ model: Hyperparameters) -> [Step] {
    let activation = model.activation
    let down = linear(.down, .feedForwardInner, .feedForwardOutput, model)
    guard isGated else {
      return [
        linear(.up, input, .up, model),
        .activate(ActivateStep(activation: activation, input: .up, output: .feedForwardInner)),
        down,
      ]
    }
    return [
      linear(.gate, input, .gate, model),
      linear(.up, input, .up, model),
      .activate(ActivateStep(activation: activation, input: .gate, output: .activated)),
      .multiply(MultiplyStep(left: .activated, right: .up, output: .feedForwardInner)),
      down,
    ]
  }

  private func head(_ model: Hyperparameters) -> [Step] {
    let role: WeightRole = model.tiesHead ? .embedding : .head
    guard let limit = model.logitSoftcap else { return [linear(role, .finalHidden, .logits, model)] }
    return [
      linear(role, .finalHidden, .headOutput, model),
      .softcap(SoftcapStep(limit: limit, input: .headOutput, output: .logits)),
    ]
  }

  private func norm(
    _ role: WeightRole, _ input: Site, _ output: Site, heads: Axis? = nil, _ model: Hyperparameters
  ) -> Step {
    .norm(
      NormStep(
        kind: heads == nil ? norm : .rms, weight: role, hasBias: hasBias(role, model), offset: normOffset,
        epsilon: model.normEpsilon, heads: heads, input: input, output: output))
  }

  private func linear(_ role: WeightRole, _ input: Site, _ output: Site, _ model: Hyperparameters) -> Step {
    .linear(LinearStep(weight: role, hasBias: hasBias(role, model), input: input, output: output))
  }
}
