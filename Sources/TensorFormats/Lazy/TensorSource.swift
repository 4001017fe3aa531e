/// Where the bytes of one tensor come from: a mapped file, an archive, memory, or a computation on other tensors.
///
/// A row is the fastest dimension; rows are numbered over all the others. Sources are read in panels of rows, from several
/// threads at once.
public protocol TensorSource: Sendable {
  /// Calls `body` with the encoded bytes of `rows`, which are valid only inside.
  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws

  /// Makes the reductions over the whole tensor that its rows need, on all cores. Called by who is about to read all of it; rows asked
  /// for without it are as right, and wait for the reduction.
  func prepare() throws

  /// Rows are best read in multiples of this, from a multiple on.
  var rowMultiple: Int { get }
}

extension TensorSource {
  public func prepare() {}
  public var rowMultiple: Int { 1 }
}
