public import TensorFormats

/// How a checkpoint is written.
public struct WriteOptions: Sendable {
  /// The format of matrices. Nil keeps each tensor's own where the file format has it, and BF16 where it has not.
  public var elementFormat: ElementFormat?
  /// The largest shard of a Hugging Face checkpoint, in bytes.
  public var maximumShardSize: Int = 50_000_000_000
  /// Replaces what stands under the name.
  public var overwrites = false
  /// Waits until the data is on the disk.
  public var isDurable = true
  public var progress: WorkProgress.Handler = { _ in }

  public init() {}
}
