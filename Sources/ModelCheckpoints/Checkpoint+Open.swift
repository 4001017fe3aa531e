internal import TensorFormats

extension Checkpoint {
  /// Opens a Hugging Face directory, a `.safetensors` file or index within one, or a GGUF file (any part of a split one).
  ///
  /// Reads headers and configuration only. Symbolic links are followed, as the Hugging Face cache needs.
  /// - Throws: `CheckpointError`, or the error of the file format.
  public init(path: String) throws {
    try Self.refuseUnsafe(FileSystem.baseName(path))
    switch FileSystem.kind(of: path) {
    case .directory:
      self = try HuggingFaceReader(directory: path) { try WeightFiles(directory: path) }.checkpoint()
    case .file where path.hasSuffix(".gguf"): self = try GGUFCheckpointReader(path: path).checkpoint()
    case .file where path.hasSuffix(".safetensors") || path.hasSuffix(".index.json"):
      let directory = FileSystem.directoryName(path)
      self = try HuggingFaceReader(directory: directory) { try WeightFiles(file: path) }.checkpoint()
    case .file: self = try GGUFCheckpointReader(path: path).checkpoint()
    case .other, nil: throw CheckpointError(.notFound, "no model at '\(path)'")
    }
  }

  /// Pickle files can run any code when loaded; they are refused by name.
  static func refuseUnsafe(_ name: String) throws {
    let unsafe = [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"]
    if unsafe.contains(where: name.hasSuffix) {
      throw CheckpointError(
        .refusedFile,
        "'\(name)' is a pickle, which can run any code when it is loaded; convert it to safetensors where you trust it")
    }
  }
}
