internal import ModelCheckpoints
internal import TensorFormats

extension FileError {
  /// Refuses models that cannot be written, before any work is done for them: one that is there already, one that would replace what
  /// is no model or what it is made from, one in a directory that is not there, and two of the same name.
  ///
  /// - Parameters:
  ///   - models: paths of directories or GGUF files; nil if one is not asked for.
  ///   - inputs: what the command reads and where it keeps its work.
  ///   - replaces: whether --force is given.
  static func refuseExisting(_ models: String?..., from inputs: [String?] = [], unless replaces: Bool) throws {
    try refuse(
      models.compactMap { $0 }.map { ($0, Checkpoint.FileFormat(outputPath: $0) == .gguf) },
      from: inputs.compactMap { $0 }, replaces)
  }

  /// The same of plain files.
  static func refuseExisting(files: String?..., from inputs: [String?] = [], unless replaces: Bool) throws {
    try refuse(files.compactMap { $0 }.map { ($0, true) }, from: inputs.compactMap { $0 }, replaces)
  }

  private static func refuse(
    _ outputs: [(path: String, isFile: Bool)], from inputs: [String], _ replaces: Bool
  ) throws {
    var places: [String] = []
    for (path, isFile) in outputs {
      if !replaces, FileSystem.isTaken(path) {
        throw FileError(.exists, "'\(path)' already exists; --force replaces it")
      }
      let directory = FileSystem.directoryName(path)
      guard FileSystem.kind(of: directory) == .directory, let place = FileSystem.place(of: path) else {
        throw FileError(.notFound, "cannot create '\(path)': there is no directory '\(directory)'")
      }
      if places.contains(place) { throw FileError(.exists, "'\(path)' is given for two outputs") }
      places.append(place)
      let read = inputs.first {
        (FileSystem.resolved($0) ?? FileSystem.place(of: $0)).map { FileSystem.isInside($0, place) } ?? false
      }
      if let read { throw FileError(.exists, "'\(path)' would replace '\(read)', which is needed to make it") }
      if isFile, FileSystem.kind(of: path) == .directory { throw FileError(.notAFile, "'\(path)' is a directory") }
      if !isFile { try OutputDirectory.checkReplaceable(path) }
    }
  }
}
