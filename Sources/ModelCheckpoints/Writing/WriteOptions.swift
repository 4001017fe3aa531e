/// How a checkpoint is written.
public struct WriteOptions: Sendable {
  /// The largest shard of a Hugging Face checkpoint, in bytes.
  public var maximumShardSize: Int = 50_000_000_000
  /// Replaces what stands under the name.
  public var overwrites = false
  /// Waits until the data is on the disk.
  public var isDurable = true
  public var progress: WorkProgress.Handler = { _ in }

  public init() {}
}
