internal import ModelArchitectures
internal import TensorFormats

extension Checkpoint {
  /// What a GGUF runtime would compute differently, a sentence each: nothing of it may be lost in silence.
  public var ggufObstacles: [String] {
    let model = hyperparameters
    var obstacles: [String] = []
    if model.activation != architecture.ggufActivation {
      obstacles.append(
        "activation \(model.activation.rawValue): '\(architecture.ggufName)' implies \(architecture.ggufActivation.rawValue)"
      )
    }
    let implied = architecture.ggufQueryScalar(model) ?? Double(model.headDimension)
    if (model.queryScalar ?? Double(model.headDimension)) != implied {
      obstacles.append("query scalar \(model.queryScalar!): '\(architecture.ggufName)' implies \(implied)")
    }
    if model.hasAttentionBias, !architecture.ggufHasAttentionBias {
      obstacles.append("attention biases: '\(architecture.ggufName)' has none")
    }
    if !model.followsPattern(of: architecture) {
      obstacles.append("the order of sliding and full layers: '\(architecture.ggufName)' fixes it by layer number")
    } else if model.slidingWindow != nil, model.layerKinds.contains(.sliding), !hasGGUFWindow {
      obstacles.append("a sliding window of \(model.slidingWindow!): '\(architecture.ggufName)' has none")
    }
    if case .llama3 = model.rotary.scaling, !architecture.ggufHasRotaryFactors {
      obstacles.append("Llama 3 rotary scaling: '\(architecture.ggufName)' does not read its factors")
    }
    return obstacles
  }

  private var hasGGUFWindow: Bool {
    architecture.configFields.contains { $0.huggingFace.contains("sliding_window") && $0.gguf != nil }
  }
}
