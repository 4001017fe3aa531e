internal import SafetensorsFormat
internal import TensorFormats

/// Where the weights of a Hugging Face checkpoint are: one safetensors file, or the index of several.
struct WeightFiles {
  let path: String

  /// The weights of a directory: one file goes before an index, as in transformers. Pickles beside no safetensors are refused by
  /// name.
  init(directory: String) throws {
    let names = try FileSystem.names(in: directory)
    if let name = ["model.safetensors", ShardIndex.fileName].first(where: names.contains) {
      path = FileSystem.join(directory, name)
      return
    }
    let candidates = names.filter { $0.hasSuffix(".safetensors") }
    if candidates.count > 1 {
      throw CheckpointError(
        .notFound, "'\(directory)' has \(candidates.count) safetensors files and no \(ShardIndex.fileName)")
    }
    if let name = candidates.first {
      path = FileSystem.join(directory, name)
      return
    }
    for name in names where !name.hasPrefix("training_args") { try Checkpoint.refuseUnsafe(name) }
    throw CheckpointError(.notFound, "'\(directory)' has no safetensors file")
  }

  /// The weights that a file belongs to: itself, or all shards of which it is one.
  init(file: String) throws {
    let index = FileSystem.join(FileSystem.directoryName(file), ShardIndex.fileName)
    guard !file.hasSuffix(".json"), FileSystem.exists(index) else {
      path = file
      return
    }
    path = try ShardIndex(path: index).files.contains(FileSystem.baseName(file)) ? index : file
  }
}
