public import ModelCheckpoints
public import TensorFormats

extension StatisticsFile {
  /// What the statistics are of.
  public struct Settings: Sendable, Codable, Equatable {
    public var tool = "mtconv \(Recipe.version)"
    public var model: Recipe.Parent
    /// `Checkpoint.contentHash`
    public var modelHash: ContentHash
    /// The text's name, without its folder.
    public var text: String
    /// Of the file that the text was read from; nil if it was none.
    public var textHash: ContentHash?
    /// `CalibrationSet.contentHash`: what the model read.
    public var tokensHash: ContentHash
    /// Tokens of the longest sequence.
    public var context: Int
    public var sequences: Int
    public var tokens: Int

    /// - Parameter text: the file that the set was read from; nil if it was none.
    /// - Throws: what reading the model and the file throws.
    public init(
      of model: Checkpoint, on set: CalibrationSet, text: String? = nil,
      progress: @escaping WorkProgress.Handler = { _ in }
    ) throws {
      self.model = Recipe.Parent(model)
      modelHash = try model.contentHash(progress: progress)
      self.text = text.map(FileSystem.baseName) ?? "tokens"
      textHash = try text.map { try ContentHash(ofFile: $0) }
      tokensHash = set.contentHash
      context = set.longestSequence
      sequences = set.sequences.count
      tokens = set.tokenCount
    }

    /// What the statistics depend on, for `CalibrationWork`; `extra` is for what they depend on besides.
    public func workKey(_ extra: String = "") -> String {
      "\(tool)\nmodel \(modelHash)\ntokens \(tokensHash)\n\(extra)"
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
      case tool, model, modelHash, text, textHash, tokensHash, context, sequences, tokens
    }

    public init(from decoder: any Decoder) throws {
      try decoder.refuseUnknownKeys(CodingKeys.self)
      let container = try decoder.container(keyedBy: CodingKeys.self)
      tool = try container.decode(String.self, forKey: .tool)
      model = try container.decode(Recipe.Parent.self, forKey: .model)
      modelHash = try container.decode(ContentHash.self, forKey: .modelHash)
      text = try container.decode(String.self, forKey: .text)
      textHash = try container.decodeIfPresent(ContentHash.self, forKey: .textHash)
      tokensHash = try container.decode(ContentHash.self, forKey: .tokensHash)
      context = try container.decode(Int.self, forKey: .context)
      sequences = try container.decode(Int.self, forKey: .sequences)
      tokens = try container.decode(Int.self, forKey: .tokens)
    }
  }
}
