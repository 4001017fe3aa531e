internal import ModelCheckpoints
public import TensorFormats

/// What a recipe remembers of the weights that took the place of others: enough to know them again.
public struct OverlayRecord: Sendable, Codable, Equatable {
  /// What made them, for example `healing`.
  public var method: String
  /// `WeightOverlay.contentHash` of all of them, as F32.
  public var contentHash: ContentHash
  /// By Hugging Face name, the hash of each weight as it was written: `Checkpoint.contentHash(of:)`.
  public var weights: [String: ContentHash]
  /// What the method found, for a reader.
  public var report: JSON?

  public init(method: String, contentHash: ContentHash, weights: [String: ContentHash], report: JSON? = nil) {
    self.method = method
    self.contentHash = contentHash
    self.weights = weights
    self.report = report
  }
}

extension OverlayRecord {
  private enum CodingKeys: String, CodingKey, CaseIterable { case method, contentHash, weights, report }

  /// Refuses a key it does not know.
  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    method = try container.decode(String.self, forKey: .method)
    contentHash = try container.decode(ContentHash.self, forKey: .contentHash)
    weights = try container.decode([String: ContentHash].self, forKey: .weights)
    report = try container.decodeIfPresent(JSON.self, forKey: .report)
  }
}

extension WeightOverlay {
  /// The hash of its weights: names, shapes and F32 values.
  public func contentHash() throws -> ContentHash {
    try ContentHash(of: namedWeights.map { (name: $0.key, tensor: $0.value) }, title: "mtconv overlay 1\n")
  }
}
