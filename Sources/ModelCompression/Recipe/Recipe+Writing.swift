public import ModelCheckpoints
internal import OrderedCollections
public import TensorFormats

extension Recipe {
  /// Files that a model is made with, for the record.
  public struct Sources: Sendable {
    /// Where they are; nil for what was not used, or was no file.
    public var plan: String?
    public var statistics: String?
    /// Texts by what they are for, such as `calibration`.
    public var texts: [String: Text] = [:]
    /// The command line.
    public var command: [String] = []

    /// A text and how it was cut.
    public struct Text: Sendable {
      public var path: String
      public var context: Int
      public var sequences: Int
      public var beginsSequences: Bool
      public var isSpread: Bool
      /// Of JSON lines: where a document stands.
      public var field: String

      public init(
        path: String, context: Int, sequences: Int, beginsSequences: Bool, isSpread: Bool = false,
        field: String = TextInput.defaultField
      ) {
        self.path = path
        self.context = context
        self.sequences = sequences
        self.beginsSequences = beginsSequences
        self.isSpread = isSpread
        self.field = field
      }
    }

    public init() {}
  }

  /// Records what everything is made of: reads the parent, the overlay and the other sources, and keeps their hashes.
  ///
  /// The last step before the recipe is applied.
  /// - Parameter report: what the overlay's method has to say.
  /// - Throws: `CompressionError.invalidPlan` for a plan that was made for another model; what reading everything throws.
  public mutating func seal(
    parent checkpoint: Checkpoint, overlay: WeightOverlay? = nil, report: JSON? = nil, sources: Sources = Sources(),
    progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    if parent.contentHash == nil { parent.contentHash = try checkpoint.contentHash(progress: progress) }
    try pruning?.validate(for: checkpoint, contentHash: parent.contentHash)
    provenance = Provenance(
      baseModel: checkpoint.hubName, parentFiles: try Self.records(of: checkpoint.sourceFiles(), progress),
      texts: try sources.texts.mapValues(TextRecord.init),
      plan: try sources.plan.map { try FileRecord(of: $0) },
      statistics: try sources.statistics.map { try FileRecord(of: $0) },
      command: sources.command.map(Self.withoutFolders))
    if let overlay { try record(overlay, for: checkpoint, report: report) }
  }

  /// Writes what the recipe makes of `parent`. It appears under its name when it is complete.
  public func write(
    of parent: Checkpoint, overlay: WeightOverlay? = nil, to path: String, _ options: WriteOptions = WriteOptions()
  ) throws {
    var options = options
    if let maximumShardSize { options.maximumShardSize = maximumShardSize }
    try applied(to: parent, overlay: overlay).write(to: path, as: output, options)
  }

  /// Files are read two by two, neighbours in size, on all cores.
  private static func records(of paths: [String], _ progress: @escaping WorkProgress.Handler) throws -> [FileRecord] {
    let sizes = try paths.map { try FileSystem.size(of: $0) }
    let order = paths.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
    let pairs = stride(from: 0, to: order.count, by: 2).map { Array(order[$0..<min($0 + 2, order.count)]) }
    let total = sizes.reduce(0, +)
    let counts = ByteCounts(pairs.count)
    let hashes = try parallelMap(of: pairs.count) { index in
      func report(_ done: Int) throws {
        try Task.checkCancellation()
        let completed = counts.set(done, at: index)
        progress(WorkProgress(phase: "hashing files", completed: completed, total: total, unit: .bytes))
      }
      let files = pairs[index].map { paths[$0] }
      guard files.count == 2 else { return [try ContentHash(ofFile: files[0], progress: report)] }
      let (first, second) = try ContentHash.ofFiles(files[0], files[1], progress: report)
      return [first, second]
    }
    let found = Dictionary(uniqueKeysWithValues: zip(pairs.joined(), hashes.joined()))
    return paths.indices.map {
      FileRecord(name: FileSystem.baseName(paths[$0]), byteCount: sizes[$0], sha256: found[$0]!)
    }
  }

  /// An argument as it may be published: of a path, its last component.
  static func withoutFolders(_ argument: String) -> String {
    guard argument.utf8.contains(UInt8(ascii: "/")) else { return argument }
    if argument.hasPrefix("-"), let equals = argument.firstIndex(of: "=") {
      return argument[...equals] + FileSystem.baseName(String(argument[argument.index(after: equals)...]))
    }
    return FileSystem.baseName(argument)
  }
}

extension TextRecord {
  fileprivate init(_ text: Recipe.Sources.Text) throws {
    self.init(
      file: try FileRecord(of: text.path), context: text.context, sequences: text.sequences,
      beginsSequences: text.beginsSequences, isSpread: text.isSpread)
    if case .jsonLines(let field) = TextInput(path: text.path, field: text.field).kind { self.field = field }
  }
}
