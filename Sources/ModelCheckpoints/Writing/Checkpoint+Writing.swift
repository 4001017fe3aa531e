internal import TensorFormats

extension Checkpoint {
  /// Writes a Hugging Face directory or a GGUF file. It appears under its name when it is complete.
  ///
  /// - Throws: `CheckpointError.notExpressible` for what the file format cannot say, `valueOutOfRange`, `noSpace`, `FileError`, and
  ///   `CancellationError` when the task is cancelled.
  public func write(to path: String, as fileFormat: FileFormat, _ options: WriteOptions = WriteOptions()) throws {
    switch fileFormat {
    case .huggingFace: try writeHuggingFace(to: path, options)
    case .gguf: try writeGGUF(to: path, options)
    }
  }

  /// Bytes of the tensors that `write` would write, known without reading any.
  public func byteCount(as fileFormat: FileFormat) throws -> Int {
    let tensors = try fileFormat == .gguf ? ggufTensors() : huggingFaceTensors()
    return tensors.reduce(0) { $0 + $1.tensor.byteCount }
  }
}

extension Checkpoint.FileFormat {
  /// What an output of this name is written as: GGUF if it ends so, a Hugging Face directory otherwise.
  public init(outputPath: String) { self = outputPath.hasSuffix(".gguf") ? .gguf : .huggingFace }
}
