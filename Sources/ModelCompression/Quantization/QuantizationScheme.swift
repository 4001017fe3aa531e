public import ModelCheckpoints

/// How weights become FP8 codes, and what an engine is told of activations. Applies to matrices that multiply activations; never to
/// embeddings, norms, biases or the head.
public struct QuantizationScheme: Sendable, Codable, Equatable {
  public var kind: Kind
  /// What the checkpoint is written as.
  public var dialect: QuantizationDialect
  public var rounding: Rounding
  public var search: Search
  /// Modules that stay as they are: names, `re:` patterns or `*` wildcards (see `ModulePattern`).
  public var ignored: [String]
  /// Whether matrices that engines fuse (query, key and value; gate and up) share one scale in schemes with a scale a tensor. An
  /// engine that finds two scales quantizes again.
  public var sharesScales: Bool
  /// Whether keys and values are kept as E4M3 with calibrated scales.
  public var quantizesKeyValueCache: Bool
  /// Largest magnitudes of activations; what `.fp8Static` and the cache need.
  public var ranges: ActivationRanges?
  /// How much input channels count; what a search for the least error of the output needs.
  public var inputPowers: InputPowers?

  public enum Kind: String, CaseIterable, Sendable, Codable {
    /// A scale for each output channel; activations token by token as the engine runs. `FP8_DYNAMIC` of llm-compressor.
    case fp8Dynamic = "fp8-dynamic"
    /// A scale for each 128 × 128 block; activations by token and 128 channels. DeepSeek's layout, `FP8_BLOCK` of llm-compressor.
    case fp8Block = "fp8-block"
    /// A scale for each tensor, of weights and of calibrated activations. `FP8` of llm-compressor and ModelOpt.
    case fp8Static = "fp8-static"
  }

  public enum Rounding: String, CaseIterable, Sendable, Codable {
    /// Codes are F32 weight ÷ scale, rounded once.
    case single
    /// The quotient is first rounded to BF16, as llm-compressor and ModelOpt do with BF16 weights: the same bytes as theirs.
    case compat
  }

  /// How a scale is found.
  public enum Search: String, CaseIterable, Sendable, Codable {
    /// The largest magnitude becomes 448.
    case none
    /// Of 64 scales from 7/8 to twice that, the one with the least squared error.
    case meanSquaredError = "mse"
    /// The same with each error weighted by how much its input channel counts: the least error of the output.
    case outputError = "output"
  }

  /// The head is the most sensitive matrix, and engines expect it so.
  public static let defaultIgnored = ["lm_head"]

  public init(
    kind: Kind = .fp8Dynamic, dialect: QuantizationDialect = .compressedTensors, rounding: Rounding = .single,
    search: Search = .none, ignored: [String] = Self.defaultIgnored, sharesScales: Bool? = nil,
    quantizesKeyValueCache: Bool = false, ranges: ActivationRanges? = nil, inputPowers: InputPowers? = nil
  ) {
    self.kind = kind
    self.dialect = dialect
    self.rounding = rounding
    self.search = search
    self.ignored = ignored
    // The reference tools do not share scales.
    self.sharesScales = sharesScales ?? (kind == .fp8Static && rounding == .single)
    self.quantizesKeyValueCache = quantizesKeyValueCache
    self.ranges = ranges
    self.inputPowers = inputPowers
  }
}

extension QuantizationScheme.Kind {
  public var granularity: ScaleGranularity {
    switch self {
    case .fp8Dynamic: .row
    case .fp8Block: .block(rows: QuantizationDialect.blockSize, columns: QuantizationDialect.blockSize)
    case .fp8Static: .tensor
    }
  }

  public var activations: ActivationQuantization {
    switch self {
    case .fp8Dynamic: .perToken
    case .fp8Block: .perGroup(QuantizationDialect.blockSize)
    case .fp8Static: .calibrated
    }
  }
}

extension QuantizationScheme {
  /// What the written checkpoint announces.
  public var layout: QuantizationLayout {
    QuantizationLayout(
      dialect: dialect, weights: kind.granularity, activations: kind.activations,
      quantizesKeyValueCache: quantizesKeyValueCache, ignored: ignored)
  }

  /// A scheme by which weights become codes as in this layout, whatever it says of activations; nil if this package has none such.
  init?(weightsOf layout: QuantizationLayout) {
    guard let kind = Kind.allCases.first(where: { $0.granularity == layout.weights }) else { return nil }
    self.init(kind: kind, dialect: layout.dialect)
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case kind, dialect, rounding, search, ignored, sharesScales, quantizesKeyValueCache, ranges, inputPowers
  }

  /// Refuses a key it does not know.
  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      kind: try container.decode(Kind.self, forKey: .kind),
      dialect: try container.decodeIfPresent(QuantizationDialect.self, forKey: .dialect) ?? .compressedTensors,
      rounding: try container.decode(Rounding.self, forKey: .rounding),
      search: try container.decodeIfPresent(Search.self, forKey: .search) ?? .none,
      ignored: try container.decodeIfPresent([String].self, forKey: .ignored) ?? Self.defaultIgnored,
      sharesScales: try container.decodeIfPresent(Bool.self, forKey: .sharesScales),
      quantizesKeyValueCache: try container.decodeIfPresent(Bool.self, forKey: .quantizesKeyValueCache) ?? false,
      ranges: try container.decodeIfPresent(ActivationRanges.self, forKey: .ranges),
      inputPowers: try container.decodeIfPresent(InputPowers.self, forKey: .inputPowers))
  }

  /// What is as usual is left out.
  public func encode(to encoder: any Encoder) throws {
    let usual = QuantizationScheme(kind: kind, rounding: rounding)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    if dialect != usual.dialect { try container.encode(dialect, forKey: .dialect) }
    try container.encode(rounding, forKey: .rounding)
    if search != usual.search { try container.encode(search, forKey: .search) }
    if ignored != usual.ignored { try container.encode(ignored, forKey: .ignored) }
    if sharesScales != usual.sharesScales { try container.encode(sharesScales, forKey: .sharesScales) }
    if quantizesKeyValueCache { try container.encode(true, forKey: .quantizesKeyValueCache) }
    try container.encodeIfPresent(ranges, forKey: .ranges)
    try container.encodeIfPresent(inputPowers, forKey: .inputPowers)
  }
}
