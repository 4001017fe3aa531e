/// A tensor in a mapped file. Pages are let go behind the reader, so that a pass over a model does not fill the memory.
public struct MappedTensor: TensorSource {
  private let file: MappedFile
  private let range: Range<Int>
  private let rowByteCount: Int

  /// `range` is the tensor's data in the file, checked against its shape by the reader of the file format.
  public init(file: MappedFile, range: Range<Int>, rowByteCount: Int) {
    self.file = file
    self.range = range
    self.rowByteCount = rowByteCount
  }

  /// The file it lies in.
  public var path: String { file.path }

  public func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let start = range.lowerBound + rows.lowerBound * rowByteCount
    let bytes = start..<start + rows.count * rowByteCount
    defer { file.release(bytes) }
    try file.withBytes(in: bytes, body)
  }
}
