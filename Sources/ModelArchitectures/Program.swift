/// A forward pass as straight-line code: before the blocks, each block, after them.
///
/// The backward pass is the same program walked in reverse. A run may start and stop at any block.
public struct Program: Hashable, Sendable {
  /// Writes `.embedding`.
  public let prologue: [Step]
  /// One list of steps for each layer, from `.blockInput` to `.blockOutput`.
  public let blocks: [[Step]]
  /// Reads the last block's output as `.blockInput` and writes `.finalHidden`.
  public let epilogue: [Step]
  /// Reads `.finalHidden` and writes `.logits`; apart, because it may run on few tokens at a time.
  public let head: [Step]
}
