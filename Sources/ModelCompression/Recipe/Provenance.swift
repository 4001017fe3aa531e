public import TensorFormats

/// What a checkpoint was made of, and by which command: enough to find the same inputs again.
public struct Provenance: Sendable, Codable, Equatable {
  /// The parent on the Hugging Face hub, `organization/name`, if the parent says so itself.
  public var baseModel: String?
  /// The files of the parent that decide its numbers.
  public var parentFiles: [FileRecord]
  /// Texts that were read, by what they were for, such as `calibration`.
  public var texts: [String: TextRecord]
  /// The pruning plan and the statistics it was made by, if they were files.
  public var plan: FileRecord?
  public var statistics: FileRecord?
  /// The command line, files without their folders.
  public var command: [String]

  public init(
    baseModel: String? = nil, parentFiles: [FileRecord] = [], texts: [String: TextRecord] = [:],
    plan: FileRecord? = nil,
    statistics: FileRecord? = nil, command: [String] = []
  ) {
    self.baseModel = baseModel
    self.parentFiles = parentFiles
    self.texts = texts
    self.plan = plan
    self.statistics = statistics
    self.command = command
  }
}

extension Provenance {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case baseModel, parentFiles, texts, plan, statistics, command
  }

  /// Refuses a key it does not know.
  public init(from decoder: any Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    baseModel = try container.decodeIfPresent(String.self, forKey: .baseModel)
    parentFiles = try container.decode([FileRecord].self, forKey: .parentFiles)
    texts = try container.decode([String: TextRecord].self, forKey: .texts)
    plan = try container.decodeIfPresent(FileRecord.self, forKey: .plan)
    statistics = try container.decodeIfPresent(FileRecord.self, forKey: .statistics)
    command = try container.decode([String].self, forKey: .command)
  }
}

/// A text, and how it was cut into sequences.
public struct TextRecord: Sendable, Codable, Equatable {
  public var file: FileRecord
  /// Tokens in a sequence.
  public var context: Int
  public var sequences: Int
  /// Whether sequences begin with the beginning token, where the model has one.
  public var beginsSequences: Bool
  /// True if the sequences were taken from all over the text; nil if they are its beginning.
  public var isSpread: Bool?
  /// The field of JSON lines that documents stand in; nil if the text was something else.
  public var field: String?

  public init(file: FileRecord, context: Int, sequences: Int, beginsSequences: Bool, isSpread: Bool = false) {
    self.file = file
    self.context = context
    self.sequences = sequences
    self.beginsSequences = beginsSequences
    self.isSpread = isSpread ? true : nil
  }
}

/// A file as it was: its name without the folder, its size and its SHA-256.
public struct FileRecord: Sendable, Codable, Equatable {
  public var name: String
  public var byteCount: Int
  public var sha256: ContentHash

  public init(name: String, byteCount: Int, sha256: ContentHash) {
    self.name = name
    self.byteCount = byteCount
    self.sha256 = sha256
  }

  /// Reads the file at `path`.
  /// - Parameter progress: called with the bytes read so far.
  public init(of path: String, progress: (Int) throws -> Void = { _ in }) throws {
    name = FileSystem.baseName(path)
    byteCount = try FileSystem.size(of: path)
    sha256 = try ContentHash(ofFile: path, progress: progress)
  }
}
