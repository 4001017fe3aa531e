internal import TensorFormats

/// The tensors of a checkpoint, whether in one file or in several with an index.
///
/// Every file is opened and checked at once; the data is read when it is touched. Symbolic links are followed, so the snapshot
/// directories of the Hugging Face cache work: files are looked for beside the index's link, not beside its target.
public struct SafetensorsFileSet: Sendable {
  /// A tensor and the file that holds it.
  public struct Member: Sendable {
    public let file: SafetensorsFile
    public let entry: SafetensorsEntry

    /// Calls `body` with the tensor's bytes, or with those of `range`, counted from its start; valid only inside.
    public func withBytes<Result, Failure: Error>(
      in range: Range<Int>? = nil, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
      try file.withBytes(of: entry, in: range, body)
    }
  }

  /// The files, in ascending order of their names.
  public let files: [SafetensorsFile]
  /// The index, if there is one.
  public let index: ShardIndex?
  public let warnings: [SafetensorsWarning]
  private let places: [String: (file: Int, entry: SafetensorsEntry)]

  /// Opens a safetensors file, an index, or a directory that holds `model.safetensors` or else its index.
  /// - Throws: `duplicateTensor` if two files hold a tensor of the same name, `tensorNotInShard` if a file does not hold what the
  ///   index says, and everything that `SafetensorsFile` and `ShardIndex` throw.
  public init(path: String) throws(SafetensorsError) {
    let path = Self.weights(at: path)
    guard path.hasSuffix(".json") else {
      try self.init(files: [SafetensorsFile(path: path)], index: nil)
      return
    }
    let index = try ShardIndex(path: path)
    var files: [SafetensorsFile] = []
    for name in index.files {
      files.append(try SafetensorsFile(path: FileSystem.join(FileSystem.directoryName(path), name)))
    }
    try self.init(files: files, index: index)
  }

  init(files: [SafetensorsFile], index: ShardIndex?) throws(SafetensorsError) {
    var places: [String: (file: Int, entry: SafetensorsEntry)] = [:]
    var warnings = WarningList()
    var totals = SafetensorsTotals()
    for (number, file) in files.enumerated() {
      file.warnings.forEach { warnings.add($0) }
      for entry in file.tensors {
        if let other = places.updateValue((number, entry), forKey: entry.name) {
          throw SafetensorsError(
            .duplicateTensor,
            "tensor \(quoted(entry.name)) stands in '\(files[other.file].file.path)' and in '\(file.file.path)'")
        }
        if let index, index[entry.name] == nil { warnings.add(.unlistedTensor, entry.name) }
        _ = try totals.add(entry.info)
      }
    }
    if let index {
      try Self.check(index, against: places, files)
      if let size = index.totalSize, size != totals.bytes { warnings.add(.wrongTotalSize) }
    }
    self.files = files
    self.index = index
    self.places = places
    self.warnings = warnings.warnings
  }

  public var count: Int { places.count }

  /// All tensors, file by file in the order of their data.
  public var entries: [SafetensorsEntry] { files.flatMap(\.tensors) }

  public subscript(name: String) -> Member? {
    places[name].map { Member(file: files[$0.file], entry: $0.entry) }
  }

  /// The tensor of this name.
  /// - Throws: `tensorNotFound`.
  public func member(_ name: String) throws(SafetensorsError) -> Member {
    guard let member = self[name] else { throw SafetensorsError(.tensorNotFound, "no tensor \(quoted(name))") }
    return member
  }

  /// The file to open for a path: in a directory, one file goes before an index, as in transformers.
  private static func weights(at path: String) -> String {
    guard FileSystem.kind(of: path) == .directory else { return path }
    let single = FileSystem.join(path, "model.safetensors")
    let index = FileSystem.join(path, ShardIndex.fileName)
    return !FileSystem.exists(single) && FileSystem.exists(index) ? index : single
  }

  /// Every tensor of the index is in the file that it names. In ascending order, so that the same fault gives the same message.
  private static func check(
    _ index: ShardIndex, against places: [String: (file: Int, entry: SafetensorsEntry)], _ files: [SafetensorsFile]
  ) throws(SafetensorsError) {
    for (tensor, name) in index.fileNames.sorted(by: { $0.key < $1.key }) {
      let found = places[tensor].map { FileSystem.baseName(files[$0.file].file.path) }
      guard found == name else {
        throw SafetensorsError(
          .tensorNotInShard, "tensor \(quoted(tensor)) is not in '\(name)'" + (found.map { " but in '\($0)'" } ?? ""))
      }
    }
  }
}
