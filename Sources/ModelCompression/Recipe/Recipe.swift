internal import ModelArchitectures
public import ModelCheckpoints
public import TensorFormats

/// What was done to a parent to make a checkpoint: enough to do it again in memory and compare.
///
/// Written beside the weights as `mtconv.json`, or into the metadata of a GGUF file.
public struct Recipe: Sendable, Codable, Equatable {
  /// The program and version that wrote it.
  public var tool: String
  public var parent: Parent
  /// What was written; it decides what an element format means for vectors.
  public var output: Checkpoint.FileFormat
  public var pruning: PruningPlan?
  /// What took the place of weights after pruning; nil if nothing did.
  public var overlay: OverlayRecord?
  /// What matrices were converted to before quantization; nil if they kept their format.
  public var elementFormat: ElementFormat?
  public var quantization: QuantizationScheme?
  /// What the codes of a quantized parent were rewritten as.
  public var dialect: QuantizationDialect?
  /// The largest shard of a Hugging Face directory, in bytes; nil for the usual one.
  public var maximumShardSize: Int?
  /// What it was all made of: hashes of files and the command; nil in a recipe that was not made for a file.
  public var provenance: Provenance?
  /// What verification found, once it is known.
  public var verification: VerificationSummary?

  /// What the parent was.
  public struct Parent: Sendable, Codable, Equatable {
    public var name: String
    public var format: Checkpoint.FileFormat
    public var family: String
    public var layerCount: Int
    public var parameterCount: Int
    public var elementFormat: ElementFormat
    /// `Checkpoint.contentHash`; nil if nobody read the whole model.
    public var contentHash: ContentHash?

    public init(_ checkpoint: Checkpoint, contentHash: ContentHash? = nil) {
      self.contentHash = contentHash
      name = FileSystem.baseName(checkpoint.path)
      format = checkpoint.fileFormat
      family = checkpoint.architecture.name
      layerCount = checkpoint.hyperparameters.layerCount
      parameterCount = checkpoint.parameterCount
      elementFormat = checkpoint.mainFormat
    }
  }

  public static let version = "0.1.0"

  public init(
    parent: Checkpoint, output: Checkpoint.FileFormat, pruning: PruningPlan? = nil, elementFormat: ElementFormat? = nil,
    quantization: QuantizationScheme? = nil, dialect: QuantizationDialect? = nil
  ) {
    tool = "mtconv \(Self.version)"
    self.parent = Parent(parent)
    self.output = output
    self.pruning = pruning
    self.elementFormat = elementFormat
    self.quantization = quantization
    self.dialect = dialect
  }

  /// The record in a checkpoint; nil if this package did not make it.
  public init?(of checkpoint: Checkpoint) throws {
    guard let json = checkpoint.recipe else { return nil }
    do {
      self = try json.decoded()
    } catch {
      throw CompressionError(
        .wrongRecipe, "\(CarriedFile.recipeName) of '\(checkpoint.path)' cannot be read: \(decodingMessage(error))")
    }
  }

  /// Throws if `parent` cannot be the model that this recipe was for, as far as headers say.
  func check(parent: Checkpoint) throws { try self.parent.check(Parent(parent)) }
}

extension Recipe.Parent {
  private var summary: String { "'\(name)' (\(family), \(layerCount) layers, \(parameterCount) parameters)" }

  /// Throws for a model that cannot be this one. Hashes count where both are known; names never do.
  public func check(_ given: Recipe.Parent) throws {
    let isSame =
      given.family == family && given.layerCount == layerCount && given.parameterCount == parameterCount
    guard isSame else {
      throw CompressionError(
        .wrongRecipe, "the recipe is for \(summary); the parent given is \(given.summary)")
    }
    if let contentHash, let hash = given.contentHash, contentHash != hash {
      throw CompressionError(
        .wrongRecipe,
        "the recipe is for \(summary) with content hash \(contentHash); '\(given.name)' has the same sizes and content hash \(hash)"
      )
    }
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name, format, family, layerCount, parameterCount, elementFormat, contentHash
  }

  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    format = try container.decode(Checkpoint.FileFormat.self, forKey: .format)
    family = try container.decode(String.self, forKey: .family)
    layerCount = try container.decode(Int.self, forKey: .layerCount)
    parameterCount = try container.decode(Int.self, forKey: .parameterCount)
    elementFormat = try container.decode(ElementFormat.self, forKey: .elementFormat)
    contentHash = try container.decodeIfPresent(ContentHash.self, forKey: .contentHash)
  }
}

extension Recipe {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case tool, parent, output, pruning, overlay, elementFormat, quantization, dialect, maximumShardSize, provenance,
      verification
  }

  /// Refuses a key it does not know: a step of a later version cannot be repeated by this one.
  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    tool = try container.decode(String.self, forKey: .tool)
    parent = try container.decode(Parent.self, forKey: .parent)
    output = try container.decode(Checkpoint.FileFormat.self, forKey: .output)
    pruning = try container.decodeIfPresent(PruningPlan.self, forKey: .pruning)
    overlay = try container.decodeIfPresent(OverlayRecord.self, forKey: .overlay)
    elementFormat = try container.decodeIfPresent(ElementFormat.self, forKey: .elementFormat)
    quantization = try container.decodeIfPresent(QuantizationScheme.self, forKey: .quantization)
    dialect = try container.decodeIfPresent(QuantizationDialect.self, forKey: .dialect)
    maximumShardSize = try container.decodeIfPresent(Int.self, forKey: .maximumShardSize)
    provenance = try container.decodeIfPresent(Provenance.self, forKey: .provenance)
    verification = try container.decodeIfPresent(VerificationSummary.self, forKey: .verification)
  }
}
