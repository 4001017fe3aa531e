extension Step: CustomStringConvertible {
  /// One line, as `mtconv describe` prints it: `query = linear(attentionInput, query.weight)`.
  public var description: String { "\(output.rawValue) = \(expression)" }

  private var expression: String {
    switch self {
    case .embed(let step):
      "embed(tokens, \(step.weight.rawValue).weight)" + (step.scale == 1 ? "" : " · \(step.scale)")
    case .norm(let step): describe(step)
    case .linear(let step):
      "linear(\(step.input.rawValue), \(step.weight.rawValue).weight"
        + (step.hasBias ? ", \(step.weight.rawValue).bias)" : ")")
    case .rotate(let step): describe(step)
    case .attend(let step): describe(step)
    case .activate(let step): "\(step.activation.rawValue)(\(step.input.rawValue))"
    case .multiply(let step): "\(step.left.rawValue) ⊙ \(step.right.rawValue)"
    case .add(let step): step.inputs.map(\.rawValue).joined(separator: " + ")
    case .softcap(let step): "\(step.limit) · tanh(\(step.input.rawValue) / \(step.limit))"
    }
  }

  private func describe(_ step: NormStep) -> String {
    var text = "\(step.kind.rawValue)Norm(\(step.input.rawValue), \(step.weight.rawValue).weight"
    if step.offset != 0 { text += " + \(step.offset)" }
    if step.hasBias { text += ", \(step.weight.rawValue).bias" }
    if let heads = step.heads { text += ", per \(heads.rawValue)" }
    return text + ", ε=\(step.epsilon))"
  }

  private func describe(_ step: RotateStep) -> String {
    var text = "rotate(\(step.input.rawValue), per \(step.heads.rawValue), \(step.rotary.dimension) channels"
    text += ", θ=\(step.rotary.base)"
    switch step.rotary.scaling {
    case .none: break
    case .linear(let factor): text += ", linear ×\(factor)"
    case .llama3(let factor, let low, let high, let original):
      text += ", llama3 ×\(factor) low \(low) high \(high) of \(original)"
    }
    return text + ")"
  }

  private func describe(_ step: AttendStep) -> String {
    var text = "attend(\(step.query.rawValue), \(step.key.rawValue), \(step.value.rawValue), scale=\(step.scale)"
    if let softcap = step.softcap { text += ", softcap=\(softcap)" }
    if let window = step.window { text += ", window=\(window)" }
    return text + ")"
  }
}
