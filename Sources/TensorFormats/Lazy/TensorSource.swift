/// Where the bytes of one tensor come from: a mapped file, an archive, memory, or a computation on other tensors.
///
/// A row is the fastest dimension; rows are numbered over all the others. Sources are read in panels of rows, from several
/// threads at once.
public protocol TensorSource: Sendable {
  /// Calls `body` with the encoded bytes of `rows`, which are valid only inside.
  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
}
