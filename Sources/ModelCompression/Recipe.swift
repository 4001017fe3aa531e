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
  /// What matrices were converted to before quantization; nil if they kept their format.
  public var elementFormat: ElementFormat?
  public var quantization: QuantizationScheme?

  /// What the parent was, as far as its headers say.
  public struct Parent: Sendable, Codable, Equatable {
    public var name: String
    public var format: Checkpoint.FileFormat
    public var family: String
    public var layerCount: Int
    public var parameterCount: Int
    public var elementFormat: ElementFormat

    public init(_ checkpoint: Checkpoint) {
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
    quantization: QuantizationScheme? = nil
  ) {
    tool = "mtconv \(Self.version)"
    self.parent = Parent(parent)
    self.output = output
    self.pruning = pruning
    self.elementFormat = elementFormat
    self.quantization = quantization
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
  func check(parent: Checkpoint) throws {
    let given = Parent(parent)
    let isSame =
      given.family == self.parent.family && given.layerCount == self.parent.layerCount
      && given.parameterCount == self.parent.parameterCount
    guard isSame else {
      throw CompressionError(
        .wrongRecipe, "the recipe is for \(self.parent.summary); the parent given is \(given.summary)")
    }
  }

  /// The checkpoint that this recipe makes of `parent`: lazy, with the record in it.
  public func applied(to parent: Checkpoint) throws -> Checkpoint {
    var result = parent
    if let pruning { result = try result.pruned(by: pruning) }
    let source = result
    if let elementFormat { result = result.converted(to: elementFormat, for: output) }
    if let quantization {
      // Codes come from the parent's own numbers, so that they are rounded once. The reference reads a converted checkpoint.
      let numbers = quantization.rounding == .compat ? result : source
      result = try result.quantized(by: quantization, from: numbers)
    }
    result.recipe = try JSON(encoding: self)
    return result
  }
}

extension Recipe.Parent {
  fileprivate var summary: String { "'\(name)' (\(family), \(layerCount) layers, \(parameterCount) parameters)" }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name, format, family, layerCount, parameterCount, elementFormat
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
  }
}

extension Recipe {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case tool, parent, output, pruning, elementFormat, quantization
  }

  /// Refuses a key it does not know: a step of a later version cannot be repeated by this one.
  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    tool = try container.decode(String.self, forKey: .tool)
    parent = try container.decode(Parent.self, forKey: .parent)
    output = try container.decode(Checkpoint.FileFormat.self, forKey: .output)
    pruning = try container.decodeIfPresent(PruningPlan.self, forKey: .pruning)
    elementFormat = try container.decodeIfPresent(ElementFormat.self, forKey: .elementFormat)
    quantization = try container.decodeIfPresent(QuantizationScheme.self, forKey: .quantization)
  }
}
