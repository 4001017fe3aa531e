internal import ModelArchitectures
public import ModelCheckpoints
public import TensorFormats

extension PruningPlan {
  /// The model that a plan was made for: enough to refuse another.
  public struct Parent: Sendable, Codable, Equatable {
    public var family: String
    public var layerCount: Int
    public var hiddenSize: Int
    public var intermediateSize: Int
    public var queryHeadCount: Int
    public var keyValueHeadCount: Int
    public var headDimension: Int
    public var vocabularySize: Int
    /// `Checkpoint.contentHash`; nil if nobody read the whole model.
    public var contentHash: ContentHash?

    public init(_ model: Checkpoint, contentHash: ContentHash? = nil) {
      family = model.architecture.name
      let sizes = model.hyperparameters
      layerCount = sizes.layerCount
      hiddenSize = sizes.hiddenSize
      intermediateSize = sizes.intermediateSize
      queryHeadCount = sizes.queryHeadCount
      keyValueHeadCount = sizes.keyValueHeadCount
      headDimension = sizes.headDimension
      vocabularySize = sizes.vocabularySize
      self.contentHash = contentHash
    }
  }

  /// What one axis was cut by.
  public struct Reason: Sendable, Codable, Equatable {
    /// `layers`, or an axis such as `hidden`.
    public var axis: String
    public var parent: Int
    public var kept: Int
    /// What the choice was made by.
    public var criterion: String
    /// How, a name and a value each.
    public var settings: [String: String]
    /// What decided the size: a number somebody gave, or a goal.
    public var target: String

    public init(
      axis: String, parent: Int, kept: Int, criterion: String, settings: [String: String] = [:], target: String
    ) {
      self.axis = axis
      self.parent = parent
      self.kept = kept
      self.criterion = criterion
      self.settings = settings
      self.target = target
    }
  }
}

extension PruningPlan.Parent {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case family, layerCount, hiddenSize, intermediateSize, queryHeadCount, keyValueHeadCount, headDimension
    case vocabularySize, contentHash
  }

  /// Refuses a key it does not know.
  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func size(_ key: CodingKeys) throws -> Int { try container.decode(Int.self, forKey: key) }
    family = try container.decode(String.self, forKey: .family)
    layerCount = try size(.layerCount)
    hiddenSize = try size(.hiddenSize)
    intermediateSize = try size(.intermediateSize)
    queryHeadCount = try size(.queryHeadCount)
    keyValueHeadCount = try size(.keyValueHeadCount)
    headDimension = try size(.headDimension)
    vocabularySize = try size(.vocabularySize)
    contentHash = try container.decodeIfPresent(ContentHash.self, forKey: .contentHash)
  }

  /// The sizes by the name of their key.
  private var sizes: [(name: String, value: Int)] {
    [
      ("layerCount", layerCount), ("hiddenSize", hiddenSize), ("intermediateSize", intermediateSize),
      ("queryHeadCount", queryHeadCount), ("keyValueHeadCount", keyValueHeadCount),
      ("headDimension", headDimension), ("vocabularySize", vocabularySize),
    ]
  }

  /// Throws for a model that is not the one this plan is for, naming the first difference. Hashes count where both are known.
  func check(_ model: PruningPlan.Parent) throws {
    guard family == model.family else {
      throw CompressionError(.invalidPlan, "the plan is for a \(family), the model is a \(model.family)")
    }
    for (ours, theirs) in zip(sizes, model.sizes) where ours.value != theirs.value {
      throw CompressionError(
        .invalidPlan, "the plan is for a model of \(ours.name) \(ours.value), the model has \(theirs.value)")
    }
    if let contentHash, let hash = model.contentHash, contentHash != hash {
      throw CompressionError(
        .invalidPlan, "the plan is for the model with the content hash \(contentHash), this one has \(hash)")
    }
  }
}

extension PruningPlan.Reason {
  private enum CodingKeys: String, CodingKey, CaseIterable { case axis, parent, kept, criterion, settings, target }

  /// Refuses a key it does not know.
  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    axis = try container.decode(String.self, forKey: .axis)
    parent = try container.decode(Int.self, forKey: .parent)
    kept = try container.decode(Int.self, forKey: .kept)
    criterion = try container.decode(String.self, forKey: .criterion)
    settings = try container.decodeIfPresent([String: String].self, forKey: .settings) ?? [:]
    target = try container.decode(String.self, forKey: .target)
  }
}
