#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A directory that appears under its name only when every file in it is complete.
public final class OutputDirectory {
  public let path: String
  /// Where files are written until `commit`.
  public let partialPath: String
  private let overwrite: Bool
  private var isOpen = false

  /// Creates the partial directory beside the destination.
  ///
  /// - Parameter overwrite: whether a file, a link or a model may stand there; see `checkReplaceable`.
  public init(path: String, overwrite: Bool = false) throws(FileError) {
    let path = FileSystem.withoutSlashes(path)
    if !overwrite, FileSystem.isTaken(path) { throw FileError(.exists, "'\(path)' already exists") }
    try Self.checkReplaceable(path)
    self.path = path
    self.overwrite = overwrite
    partialPath = Partials.name(for: path)
    // Known before it exists, so that a signal between the two finds it.
    Partials.register(partialPath)
    guard mkdir(partialPath, 0o777) == 0 else {
      let error = FileError.last("create", path)
      Partials.forget(partialPath)
      throw error
    }
    isOpen = true
  }

  deinit { cancel() }

  /// Throws `FileError.exists` for a directory that is not replaced whatever is asked for: all it holds would be gone, so it must be
  /// empty or look like a model, without directories in it but that of its chat templates.
  public static func checkReplaceable(_ path: String) throws(FileError) {
    let path = FileSystem.withoutSlashes(path)
    guard FileSystem.isDirectory(path) else { return }
    let names = try FileSystem.names(in: path)
    let folder = names.first { $0 != "additional_chat_templates" && FileSystem.isDirectory(FileSystem.join(path, $0)) }
    if let name = folder {
      throw FileError(.exists, "'\(path)' is not replaced: it holds the directory '\(name)'")
    }
    guard names.isEmpty || names.contains(where: isOfModel) else {
      throw FileError(.exists, "'\(path)' is not replaced: it holds '\(names[0])' and no model")
    }
  }

  private static func isOfModel(_ name: String) -> Bool {
    name == "config.json" || name == "mtconv.json" || name.hasSuffix(".safetensors")
      || name.hasSuffix(".safetensors.index.json")
  }

  /// An output file inside, in the folder that its name says (`folder/file`).
  public func file(_ name: String, expectedSize: Int? = nil) throws(FileError) -> OutputFile {
    if let slash = name.lastIndex(of: "/") {
      let folder = FileSystem.join(partialPath, String(name[..<slash]))
      guard FileSystem.isDirectory(folder) || mkdir(folder, 0o777) == 0 else { throw FileError.last("create", folder) }
    }
    return try OutputFile(path: FileSystem.join(partialPath, name), expectedSize: expectedSize)
  }

  /// Writes a small file inside.
  public func write(_ bytes: [UInt8], to name: String) throws(FileError) {
    let output = try file(name)
    try output.write(bytes)
    try output.commit(durable: false)
  }

  /// Gives the directory its name. What stood there before, if overwriting was asked for, is moved aside first and removed last.
  ///
  /// `durable: false` leaves the flush to the disk to the system.
  public func commit(durable: Bool = true) throws(FileError) {
    precondition(isOpen, "'\(path)' is committed after its end")
    if durable { try synchronizeFiles() }
    let previous = Partials.name(for: path, kind: "replaced")
    let replaces = FileSystem.isTaken(path)
    if replaces {
      guard overwrite else { throw FileError(.exists, "'\(path)' already exists") }
      try Self.checkReplaceable(path)
      guard rename(path, previous) == 0 else { throw FileError.last("replace", path) }
    }
    guard rename(partialPath, path) == 0 else {
      let error = FileError.last("rename to", path)
      if replaces { rename(previous, path) }
      throw error
    }
    isOpen = false
    Partials.forget(partialPath)
    if replaces { FileSystem.remove(previous) }
    if durable { FileSystem.synchronize(directory: FileSystem.directoryName(path)) }
  }

  /// Removes everything written so far. Harmless after `commit`.
  public func cancel() {
    guard isOpen else { return }
    isOpen = false
    FileSystem.remove(partialPath)
    Partials.forget(partialPath)
  }

  private func synchronizeFiles(of folder: String? = nil) throws(FileError) {
    let directory = folder.map { FileSystem.join(partialPath, $0) } ?? partialPath
    for name in try FileSystem.names(in: directory) {
      let name = folder.map { FileSystem.join($0, name) } ?? name
      let file = FileSystem.join(partialPath, name)
      if FileSystem.isDirectory(file) {
        try synchronizeFiles(of: name)
        continue
      }
      let descriptor = open(file, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw FileError.last("write", FileSystem.join(path, name)) }
      defer { close(descriptor) }
      guard fsync(descriptor) == 0 else { throw FileError.last("write", FileSystem.join(path, name)) }
    }
    FileSystem.synchronize(directory: directory)
  }
}
