internal import ArgumentParser
internal import ModelCheckpoints
internal import TensorFormats

/// How a command writes a model.
struct WritingOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Largest safetensors shard, such as 5GB or 512MiB.", valueName: "size"))
  var maxShardSize: ByteSize?

  @Flag(name: .long, help: "Replace OUT if it exists.")
  var force = false

  @Flag(name: .long, help: "Say what would be written, and write nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Leave flushing to disk to the system: faster, not safe against a power cut.")
  var noSync = false

  /// Refuses an output that cannot be written, unless nothing is; see `FileError.refuseExisting`.
  func refuseExisting(_ path: String, from inputs: String?...) throws {
    if !dryRun { try FileError.refuseExisting(path, from: inputs, unless: force) }
  }

  func options(_ progress: ProgressLine) -> WriteOptions {
    var options = WriteOptions()
    if let maxShardSize { options.maximumShardSize = maxShardSize.count }
    options.overwrites = force
    options.isDurable = !noSync
    options.progress = progress.handler
    return options
  }
}

/// What matrices become, in any format that can be written.
struct ElementFormatOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Element format (default: bf16 from GGUF to a directory, otherwise the source's own where OUT can hold it).",
      valueName: "format"))
  var dtype: ElementFormat?

  /// What `validate` of a command asks, which knows OUT.
  func check(for out: String) throws {
    if let dtype, dtype.kind == .quantizedBlock, !out.hasSuffix(".gguf") {
      throw ValidationError("--dtype \(dtype.name.lowercased()) is for GGUF; OUT does not end in .gguf")
    }
  }
}

/// Whether the recipe knows its parent by hash.
struct HashOptions: ParsableArguments {
  @Flag(
    name: .long,
    help: "Leave hashes of the model out of the recipe: faster, and replay cannot tell whether its parent is the same.")
  var noHashes = false
}
