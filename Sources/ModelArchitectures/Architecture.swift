/// A model family as data: how it differs from Llama.
///
/// From this value follow the weight table, the names in both file formats, the configuration keys and the program.
/// The neutral family is Llama; others set what is different:
///
///     Architecture("qwen3") { $0.hasQueryKeyNorm = true }
public struct Architecture: Sendable {
  /// The family's name: transformers' `model_type`.
  public let name: String
  /// The class that transformers loads it with.
  public var className = "LlamaForCausalLM"
  /// The value of `general.architecture` in a GGUF file.
  public var ggufName = "llama"

  public var norm = NormKind.rms
  /// Added to norm weights before they multiply.
  public var normOffset = 0.0
  public var hasQueryKeyNorm = false
  /// Norms behind attention and feed-forward, before they join the residual stream.
  public var hasPostNorms = false
  /// Attention and feed-forward read the same normed input and are added together.
  public var isParallel = false
  /// The feed-forward layer multiplies two projections, one of them activated.
  public var isGated = true
  /// Embeddings are multiplied by the square root of the hidden size.
  public var scalesEmbedding = false
  /// Rows of query and key projections change order between Hugging Face and GGUF.
  public var interleavesRotaryInGGUF = false

  public var queryKeyValueBias = BiasRule.attention
  public var attentionOutputBias = BiasRule.attention
  public var feedForwardBias = BiasRule.feedForward
  public var headBias = BiasRule.never

  /// Share of a head's channels that is rotated when the configuration does not say.
  public var rotaryFraction = 1.0
  /// What a configuration that does not say so means.
  public var defaults = Hyperparameters()
  /// Which layers slide when the configuration does not list them.
  public var layerPattern = LayerPattern.allFull
  /// Keys of the activation's name in `config.json`; the first is written.
  public var activationKeys = ["hidden_act"]
  /// What the GGUF runtime computes for this family, whatever the file says; a model that differs cannot be written as GGUF.
  public var ggufActivation = Activation.silu
  /// The query scalar that the GGUF runtime derives for this family; nil for the head dimension.
  public var ggufQueryScalar: @Sendable (Hyperparameters) -> Double? = { _ in nil }
  /// Whether the GGUF runtime reads per-pair rotary factors (`rope_freqs.weight`) for this family.
  public var ggufHasRotaryFactors = false
  /// Whether the GGUF runtime takes optional attention biases for this family.
  public var ggufHasAttentionBias = true
  /// Whether the GGUF runtime wants the query heads together to be as wide as the hidden state.
  public var ggufFixesAttentionWidth = false
  /// Whether the GGUF runtime takes the embedding for the head of this family; nil if a file may say.
  public var ggufTiesHead: Bool?
  /// Whether transformers refuses a hidden size that is no multiple of the query heads, whatever their width.
  public var divisibleByHeads = false
  /// Configuration keys beyond the common ones, or in their place.
  public var fields: [ConfigField] = []
  /// Names that differ from Llama's, without `.weight` or `.bias`.
  public var huggingFaceNames: [WeightRole: String] = [:]
  public var ggufNames: [WeightRole: String] = [:]

  public init(_ name: String, _ configure: (inout Architecture) -> Void = { _ in }) {
    self.name = name
    defaults.rotary = Rotary(base: 10_000, dimension: 0)
    configure(&self)
  }
}

/// When a projection has a bias.
public enum BiasRule: Sendable {
  case never, always
  /// When the configuration's `attention_bias` is true.
  case attention
  /// When the configuration's `mlp_bias` is true.
  case feedForward

  func applies(to hyperparameters: Hyperparameters) -> Bool {
    switch self {
    case .never: false
    case .always: true
    case .attention: hyperparameters.hasAttentionBias
    case .feedForward: hyperparameters.hasFeedForwardBias
    }
  }
}

/// How attention kinds alternate over the layers when the configuration does not list them.
public enum LayerPattern: Hashable, Sendable {
  case allFull
  /// Even layers slide, odd layers see everything (Gemma 2).
  case slidingThenFull
  /// All layers from a configured one on slide, if the configuration switches windows on (Qwen 2 and 3 with
  /// `use_sliding_window`). The numbers stand in for `max_window_layers` and `sliding_window` where they are absent.
  case slidingFromConfigured(firstLayer: Int, window: Int)

  /// `firstSlidingLayer` is the one of `slidingFromConfigured`; nil if windows are off.
  public func kinds(layerCount: Int, firstSlidingLayer: Int?) -> [LayerKind] {
    let layers = 0..<max(layerCount, 0)
    return switch self {
    case .allFull: layers.map { _ in .full }
    case .slidingThenFull: layers.map { $0.isMultiple(of: 2) ? .sliding : .full }
    case .slidingFromConfigured: layers.map { $0 >= firstSlidingLayer ?? .max ? .sliding : .full }
    }
  }
}
