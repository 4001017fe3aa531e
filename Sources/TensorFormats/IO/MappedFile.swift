#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A file mapped read-only into memory.
///
/// The mapping lives as long as the object, and its bytes are reachable only inside `withBytes`, so a tensor that keeps the object
/// can never outlive its data. A file that somebody truncates while it is mapped raises SIGBUS, as with every mapping.
public final class MappedFile: Sendable {
  public let path: String
  nonisolated(unsafe) private let base: UnsafeRawBufferPointer

  /// Maps the file, following symbolic links. An empty file is mapped as no bytes.
  public init(path: String) throws(FileError) {
    // Not blocking: a named pipe would wait here for somebody who writes.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError.last("open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError.last("read", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(.notAFile, "'\(path)' is not a regular file") }
    self.path = path
    let count = Int(status.st_size)
    guard count > 0 else {
      base = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let address = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
      throw FileError.last("map", path)
    }
    base = UnsafeRawBufferPointer(start: address, count: count)
  }

  deinit {
    if let address = base.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), base.count) }
  }

  public var byteCount: Int { base.count }

  /// Calls `body` with all bytes; the pointer is valid only inside.
  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(base)
  }

  /// Calls `body` with the bytes of `range`, which must lie within the file.
  public func withBytes<Result, Failure: Error>(
    in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(rebasing: base[range]))
  }

  /// Asks the system to read `range` ahead.
  public func willNeed(_ range: Range<Int>) { advise(range, MADV_WILLNEED, growing: true) }

  /// Lets the pages that lie wholly in `range` go, so that a pass over a large file does not grow the resident set. The data stays
  /// readable.
  public func release(_ range: Range<Int>) { advise(range, MADV_DONTNEED, growing: false) }

  private func advise(_ range: Range<Int>, _ advice: Int32, growing: Bool) {
    let range = range.clamped(to: 0..<base.count)
    guard let address = base.baseAddress, !range.isEmpty else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let lower = growing ? range.lowerBound / page * page : (range.lowerBound + page - 1) / page * page
    let upper = range.upperBound == base.count || growing ? range.upperBound : range.upperBound / page * page
    guard lower < upper else { return }
    madvise(UnsafeMutableRawPointer(mutating: address + lower), upper - lower, advice)
  }
}
