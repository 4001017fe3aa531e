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
    let attentionWidth = model.queryHeadCount * model.headDimension
    if architecture.ggufFixesAttentionWidth, attentionWidth != model.hiddenSize {
      obstacles.append(
        "\(model.queryHeadCount) query heads of \(model.headDimension): '\(architecture.ggufName)' wants them to be "
          + "\(model.hiddenSize) wide together")
    }
    if let tied = architecture.ggufTiesHead, model.tiesHead != tied {
      obstacles.append(
        tied
          ? "a head of its own: '\(architecture.ggufName)' takes the embedding"
          : "a head that is the embedding: '\(architecture.ggufName)' wants one of its own")
    }
    if let window = model.slidingWindow, model.layerKinds.contains(.sliding), !hasGGUFWindow {
      obstacles.append("a sliding window of \(window): '\(architecture.ggufName)' has none")
    } else if !model.followsPattern(of: architecture) {
      obstacles.append("the order of sliding and full layers: '\(architecture.ggufName)' fixes it by layer number")
    }
    obstacles += missingOptions
    if case .llama3 = model.rotary.scaling, !architecture.ggufHasRotaryFactors {
      obstacles.append("Llama 3 rotary scaling: '\(architecture.ggufName)' does not read its factors")
    }
    return obstacles
  }

  /// What keeps transformers from loading the model as a directory, a sentence; nil if nothing does.
  public var huggingFaceObstacle: String? {
    let (hidden, heads) = (hyperparameters.hiddenSize, hyperparameters.queryHeadCount)
    guard architecture.divisibleByHeads, heads > 0, !hidden.isMultiple(of: heads) else { return nil }
    return
      "transformers refuses a '\(architecture.name)' whose hidden size (\(hidden)) is no multiple of its \(heads) query heads"
  }

  /// Options that are switched off here and that the runtime switches on where the file does not state them.
  private var missingOptions: [String] {
    architecture.configFields.filter { $0.gguf != nil }.compactMap { field in
      let isMissing =
        switch field.value {
        case .int, .double, .bool: false
        case .optionalInt(let path):
          hyperparameters[keyPath: path] == nil && architecture.defaults[keyPath: path] != nil
        case .optionalDouble(let path):
          hyperparameters[keyPath: path] == nil && architecture.defaults[keyPath: path] != nil
        }
      return isMissing ? "no '\(field.huggingFace[0])': '\(architecture.ggufName)' always has one" : nil
    }
  }

  private var hasGGUFWindow: Bool {
    architecture.configFields.contains { $0.huggingFace.contains("sliding_window") && $0.gguf != nil }
  }
}
