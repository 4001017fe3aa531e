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

  /// Refuses a folder for work whose files would stand among those of a model: one that holds a model, and one that is what the command
  /// reads or lies in it.
  ///
  /// - Parameters:
  ///   - folder: need not be there; nil if there is none.
  ///   - inputs: what the command reads.
  static func refuseWork(_ folder: String?, from inputs: [String?]) throws {
    guard let folder else { return }
    let place = FileSystem.resolved(folder) ?? FileSystem.place(of: folder)
    let read = inputs.compactMap { $0 }.first { input in
      guard let place, let input = FileSystem.resolved(input) else { return false }
      return FileSystem.isInside(place, input)
    }
    if let read {
      throw FileError(.exists, "'\(folder)' cannot be the folder for work: it is, or lies in, '\(read)', which is read")
    }
    if FileSystem.exists(FileSystem.join(folder, "config.json")) {
      throw FileError(.exists, "'\(folder)' cannot be the folder for work: it holds a model")
    }
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
