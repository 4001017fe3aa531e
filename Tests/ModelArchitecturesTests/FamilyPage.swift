import ModelArchitectures
import ModelCheckpoints

/// The page of a family in Docs/Families: what differs from Llama, the weight table and the program of its pico checkpoint.
struct FamilyPage {
  let model: Checkpoint
  private var family: Architecture { model.architecture }

  var text: String {
    let description = ModelDescription(of: model)
    return """
      # \(family.name)

      `\(family.className)` in transformers, `\(family.ggufName)` in GGUF. This page is made from the family's description in
      `Sources/ModelArchitectures/Families` and a small checkpoint of it; a test keeps it current.

      ## \(family.name == "llama" ? "Traits" : "What differs from Llama")

      \(list(family.name == "llama" ? family.traits : differences))

      ## Configuration

      | config.json | GGUF | default |
      |---|---|---|
      \(family.configFields.map(row).joined(separator: "\n"))

      ## Weights

      `{layer}` counts from 0. Shapes are those of the checkpoint that this page is made from.

      | weight | axes | shape | Hugging Face | GGUF | transform |
      |---|---|---|---|---|---|
      \(description.weights.map(row).joined(separator: "\n"))

      ## Program

      \(description.program.map(section).joined(separator: "\n\n"))

      """
  }

  private var differences: [Trait] {
    zip(family.traits, Architecture.llama.traits).filter { $0.0.value != $0.1.value }.map { $0.0 }
  }

  private func list(_ traits: [Trait]) -> String {
    traits.map { "- \($0.title): \($0.value)" }.joined(separator: "\n")
  }

  private func row(_ weight: ModelDescription.Row) -> String {
    "| \(weight.role) | `\(weight.axes)` | \(weight.shape) | `\(weight.huggingFaceName)` | `\(weight.ggufName)` "
      + "| \(weight.transform) |"
  }

  private func row(_ field: ConfigField) -> String {
    let keys = field.huggingFace.map { "`\($0)`" }.joined(separator: ", ")
    return "| \(keys) | \(field.gguf.map { "`\($0)`" } ?? "–") | \(family.defaultText(of: field)) |"
  }

  private func section(_ section: ModelDescription.Section) -> String {
    "\(section.title.prefix(1).uppercased())\(section.title.dropFirst()):\n\n```\n"
      + section.steps.joined(separator: "\n") + "\n```"
  }
}

struct Trait {
  let title: String
  let value: String
}

extension Architecture {
  /// Everything that one family may do in another way than the next.
  var traits: [Trait] {
    [
      Trait(title: "norm", value: norm == .rms ? "RMSNorm" : "LayerNorm with bias"),
      Trait(title: "norm weights", value: normOffset == 0 ? "as stored" : "stored as offsets from \(normOffset)"),
      Trait(title: "norm of each query and key head", value: yes(hasQueryKeyNorm)),
      Trait(title: "norms behind attention and feed-forward", value: yes(hasPostNorms)),
      Trait(title: "attention and feed-forward", value: isParallel ? "side by side" : "one after the other"),
      Trait(title: "feed-forward", value: isGated ? "gated" : "up and down only"),
      Trait(title: "activation where the configuration does not say", value: defaults.activation.rawValue),
      Trait(title: "embeddings", value: scalesEmbedding ? "multiplied by √hidden" : "as stored"),
      Trait(title: "share of a head that rotates", value: "\(rotaryFraction)"),
      Trait(title: "bias of query, key and value", value: "\(queryKeyValueBias)"),
      Trait(title: "bias of the attention output", value: "\(attentionOutputBias)"),
      Trait(title: "bias of the feed-forward projections", value: "\(feedForwardBias)"),
      Trait(title: "bias of the head", value: "\(headBias)"),
      Trait(title: "sliding layers", value: layerPattern.text),
      Trait(title: "query and key rows in GGUF", value: interleavesRotaryInGGUF ? "interleaved" : "as in Hugging Face"),
      Trait(title: "rotary factors in GGUF", value: yes(ggufHasRotaryFactors)),
      Trait(title: "attention biases in GGUF", value: yes(ggufHasAttentionBias)),
      Trait(
        title: "query heads together in GGUF",
        value: ggufFixesAttentionWidth ? "as wide as the hidden state" : "of any width"),
      Trait(title: "activation in GGUF", value: "always \(ggufActivation.rawValue)"),
    ]
  }

  private func yes(_ flag: Bool) -> String { flag ? "yes" : "no" }

  func defaultText(of field: ConfigField) -> String {
    switch field.value {
    case .int(let path): defaults[keyPath: path] == 0 ? "–" : "\(defaults[keyPath: path])"
    case .double(let path): "\(defaults[keyPath: path])"
    case .bool(let path): "\(defaults[keyPath: path])"
    case .optionalInt(let path): defaults[keyPath: path].map { "\($0)" } ?? "none"
    case .optionalDouble(let path): defaults[keyPath: path].map { "\($0)" } ?? "none"
    }
  }
}

extension LayerPattern {
  fileprivate var text: String {
    switch self {
    case .allFull: "none"
    case .slidingThenFull: "every other, from the first"
    case .slidingFromConfigured: "from `max_window_layers` on, if `use_sliding_window` is true"
    }
  }
}
