#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A file that grows line by line while a long run goes on, such as a log: what has been appended is there for others to read at once.
public final class AppendedFile {
  private let path: String
  private let descriptor: Int32

  /// Opens the file for writing behind its end; makes it if there is none.
  public init(path: String) throws(FileError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError.last("open", path) }
  }

  deinit { close(descriptor) }

  /// Appends all of `bytes`.
  public func append(_ bytes: [UInt8]) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { writeBytes(descriptor, $0) }
      guard written >= 0 || errno == EINTR else { throw FileError.last("write", path) }
      rest = rest.dropFirst(max(0, written))
    }
  }
}

private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}
