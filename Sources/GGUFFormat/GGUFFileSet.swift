public import OrderedCollections
internal import TensorFormats

/// A model in one GGUF file or in several: the tensors of all of them under one roof.
///
/// A split model lies in `name-00001-of-00003.gguf` and its siblings. The first file carries the metadata; each carries its
/// number (`split.no`), the number of files (`split.count`) and the number of tensors in all of them (`split.tensors.count`).
public struct GGUFFileSet: Sendable {
  /// The files in order; one for a model that is not split.
  public let files: [GGUFFile]
  /// The metadata of the model, without the three split keys.
  public let metadata: OrderedDictionary<String, GGUFValue>
  /// The tensors of all files, in their order. Ranges count from the start of the tensor's own file, see `file(of:)`.
  public let tensors: [GGUFEntry]
  private let locations: [String: Location]

  private struct Location {
    let file: Int
    let entry: GGUFEntry
  }

  /// Opens the model that `path` belongs to: the file itself, or all files of the set of which it is one.
  ///
  /// Throws `FileError` or `GGUFError`; the message names the file.
  public init(path: String) throws {
    let file = try GGUFFile(path: path)
    guard let keys = try SplitKeys(file), keys.count > 1 else {
      try self.init(files: [file])
      return
    }
    guard let name = GGUFSplitName(path: path), name.number == keys.number, name.count == keys.count else {
      let expected = GGUFSplitName(prefix: "NAME", number: keys.number, count: keys.count).path
      throw GGUFError(
        .splitName, "the file is split \(keys.number) of \(keys.count), expected a name like '\(expected)'", path: path)
    }
    var files: [GGUFFile] = []
    for number in 0..<name.count {
      files.append(number == name.number ? file : try Self.open(name.sibling(number)))
    }
    try self.init(files: files)
    guard tensors.count == keys.tensorCount else {
      throw GGUFError(
        .splitTensorCount,
        "\(name.count) files hold \(tensors.count) tensors, '\(SplitKeys.tensorsKey)' says \(keys.tensorCount)",
        path: files[0].file.path)
    }
  }

  /// The tensor of this name.
  public subscript(name: String) -> GGUFEntry? { locations[name]?.entry }

  /// The file that holds a tensor of this set.
  public func file(of entry: GGUFEntry) -> GGUFFile {
    guard let location = locations[entry.name] else { preconditionFailure("tensor '\(entry.name)' is not of this set") }
    return files[location.file]
  }

  /// Calls `body` with the bytes of a tensor of this set; the pointer is valid only inside. Throws as `GGUFFile.withBytes`.
  public func withBytes<Result>(of entry: GGUFEntry, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result
  {
    try file(of: entry).withBytes(of: entry, body)
  }

  private init(files: [GGUFFile]) throws(GGUFError) {
    var locations: [String: Location] = [:]
    for (index, file) in files.enumerated() {
      for entry in file.tensors {
        if let other = locations.updateValue(Location(file: index, entry: entry), forKey: entry.name) {
          let path = files[other.file].file.path
          throw GGUFError(.duplicateTensor, "tensor '\(entry.name)' is also in '\(path)'", path: file.file.path)
        }
      }
    }
    self.files = files
    self.locations = locations
    tensors = files.flatMap(\.tensors)
    metadata = files[0].metadata.filter { !SplitKeys.all.contains($0.key) }
  }

  /// Opens one more file of a set and checks that it belongs to it.
  private static func open(_ name: GGUFSplitName) throws -> GGUFFile {
    guard FileSystem.exists(name.path) else {
      throw GGUFError(.splitMissing, "split \(name.number) of \(name.count) does not exist", path: name.path)
    }
    let file = try GGUFFile(path: name.path)
    guard let keys = try SplitKeys(file) else {
      throw GGUFError(.splitKey, "key '\(SplitKeys.countKey)' is missing", path: name.path)
    }
    guard keys.number == name.number else {
      throw GGUFError(
        .splitNumber, "'\(SplitKeys.numberKey)' is \(keys.number), expected \(name.number)", path: name.path)
    }
    guard keys.count == name.count else {
      throw GGUFError(.splitCount, "'\(SplitKeys.countKey)' is \(keys.count), expected \(name.count)", path: name.path)
    }
    return file
  }
}

/// The three keys of a split file.
private struct SplitKeys {
  static let numberKey = "split.no"
  static let countKey = "split.count"
  static let tensorsKey = "split.tensors.count"
  static let all: Set<String> = [numberKey, countKey, tensorsKey]

  let number: Int
  let count: Int
  let tensorCount: Int

  /// The keys of a file; nil if it has none of them, or a count of 0, which marks a merged file.
  init?(_ file: GGUFFile) throws(GGUFError) {
    guard file.metadata[Self.countKey] != nil else { return nil }
    count = try Self.value(Self.countKey, in: file, limit: Int(UInt16.max))
    guard count > 0 else { return nil }
    number = try Self.value(Self.numberKey, in: file, limit: count - 1)
    tensorCount = try Self.value(Self.tensorsKey, in: file, limit: Int(Int32.max))
  }

  private static func value(_ key: String, in file: GGUFFile, limit: Int) throws(GGUFError) -> Int {
    guard let value = file.metadata[key] else {
      throw GGUFError(.splitKey, "key '\(key)' is missing", path: file.file.path)
    }
    guard let number = value.int, (0...limit).contains(number) else {
      throw GGUFError(.splitKey, "key '\(key)' is \(value), expected 0 to \(limit)", path: file.file.path)
    }
    return number
  }
}
