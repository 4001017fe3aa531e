#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// An output file whose layout is known before its data: pieces go straight to their places, from whatever thread made them.
///
/// Valid until its file is committed or cancelled.
public struct OutputPlaces: Sendable {
  private let path: String
  private let descriptor: Int32
  private let size: Int

  init(path: String, descriptor: Int32, size: Int) {
    self.path = path
    self.descriptor = descriptor
    self.size = size
  }

  /// Writes bytes at an offset from the start of the file, within its size.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    precondition(offset >= 0 && bytes.count <= size - offset, "\(bytes.count) bytes at \(offset) of \(size)")
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let written = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if written < 0 {
        if errno == EINTR { continue }
        throw FileError.last("write", path)
      }
      done += written
    }
  }
}
