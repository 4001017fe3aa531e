/// One instruction of a program: reads sites, writes one site.
public enum Step: Hashable, Sendable {
  case embed(EmbedStep)
  case norm(NormStep)
  case linear(LinearStep)
  case rotate(RotateStep)
  case attend(AttendStep)
  case activate(ActivateStep)
  case multiply(MultiplyStep)
  case add(AddStep)
  case softcap(SoftcapStep)

  public var inputs: [Site] {
    switch self {
    case .embed: []
    case .norm(let step): [step.input]
    case .linear(let step): [step.input]
    case .rotate(let step): [step.input]
    case .attend(let step): [step.query, step.key, step.value]
    case .activate(let step): [step.input]
    case .multiply(let step): [step.left, step.right]
    case .add(let step): step.inputs
    case .softcap(let step): [step.input]
    }
  }

  public var output: Site {
    switch self {
    case .embed(let step): step.output
    case .norm(let step): step.output
    case .linear(let step): step.output
    case .rotate(let step): step.output
    case .attend(let step): step.output
    case .activate(let step): step.output
    case .multiply(let step): step.output
    case .add(let step): step.output
    case .softcap(let step): step.output
    }
  }
}

/// output = scale · table[token]
public struct EmbedStep: Hashable, Sendable {
  public let weight: WeightRole
  public let scale: Double
  public let output: Site
}

/// RMSNorm (arXiv 1910.07467) or LayerNorm (arXiv 1607.06450), over the whole row or over each head of it.
public struct NormStep: Hashable, Sendable {
  public let kind: NormKind
  public let weight: WeightRole
  public let hasBias: Bool
  /// Added to the stored weight before it multiplies: 1 where the checkpoint stores an offset from one.
  public let offset: Double
  public let epsilon: Double
  /// The axis of which every index is normalised on its own; nil for the whole row.
  public let heads: Axis?
  public let input: Site
  public let output: Site
}

public enum NormKind: String, Sendable, Codable { case rms, layer }

/// output = input · Wᵀ + bias, with W of shape (out, in).
public struct LinearStep: Hashable, Sendable {
  public let weight: WeightRole
  public let hasBias: Bool
  public let input: Site
  public let output: Site
}

/// Rotates the first `rotary.dimension` channels of each head by its position; pairs are (i, i + dimension/2).
public struct RotateStep: Hashable, Sendable {
  public let heads: Axis
  public let rotary: Rotary
  public let input: Site
  public let output: Site
}

/// Causal attention: softmax(cap(scale · q·kᵀ) + mask) · v, grouped when there are fewer key heads than query heads.
public struct AttendStep: Hashable, Sendable {
  public let query: Site
  public let key: Site
  public let value: Site
  public let scale: Double
  public let softcap: Double?
  /// Tokens seen, itself included; nil for all before it.
  public let window: Int?
  public let output: Site
}

public struct ActivateStep: Hashable, Sendable {
  public let activation: Activation
  public let input: Site
  public let output: Site
}

/// output = left ⊙ right
public struct MultiplyStep: Hashable, Sendable {
  public let left: Site
  public let right: Site
  public let output: Site
}

/// output = the sum of its inputs
public struct AddStep: Hashable, Sendable {
  public let inputs: [Site]
  public let output: Site
}

/// output = limit · tanh(input / limit)
public struct SoftcapStep: Hashable, Sendable {
  public let limit: Double
  public let input: Site
  public let output: Site
}
