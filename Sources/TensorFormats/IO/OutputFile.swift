#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A file that appears under its name only when it is complete.
///
/// Bytes go to a partial file beside the destination; `commit` flushes it to disk and renames it. An output that is dropped
/// before that is removed. Not for use from two threads at once.
public final class OutputFile {
  public let path: String
  public private(set) var byteCount = 0
  private let partialPath: String
  private let overwrite: Bool
  /// -1 before the partial file exists and after it has its name or is removed.
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let bufferCapacity = 1 << 20

  /// Opens the output. `expectedSize` reserves the space, so that a full disk is found before the work.
  ///
  /// A link at `path` is replaced itself, not the file it leads to.
  public init(path: String, overwrite: Bool = false, expectedSize: Int? = nil) throws(FileError) {
    if FileSystem.kind(of: path) == .directory { throw FileError(.notAFile, "'\(path)' is a directory") }
    if !overwrite, FileSystem.isTaken(path) { throw FileError(.exists, "'\(path)' already exists") }
    self.path = path
    self.overwrite = overwrite
    partialPath = Partials.name(for: path)
    // Known before it exists, so that a signal between the two finds it.
    Partials.register(partialPath)
    descriptor = open(partialPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      let error = FileError.last("create", path)
      Partials.forget(partialPath)
      throw error
    }
    if let expectedSize, expectedSize > 0 { try reserve(expectedSize) }
  }

  deinit { cancel() }

  /// Appends bytes. Small pieces are gathered; large ones are written straight from the caller's memory.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    precondition(descriptor >= 0, "'\(path)' is written after its end")
    byteCount += bytes.count
    if buffer.count + bytes.count <= Self.bufferCapacity {
      buffer.append(contentsOf: bytes)
      return
    }
    try flush()
    if bytes.count >= Self.bufferCapacity / 4 {
      try writeThrough(bytes)
    } else {
      buffer.append(contentsOf: bytes)
    }
  }

  public func write(_ bytes: [UInt8]) throws(FileError) {
    let result = bytes.withUnsafeBytes { raw in Result { () throws(FileError) in try write(raw) } }
    try result.get()
  }

  /// Appends zeros.
  public func writeZeros(_ count: Int) throws(FileError) {
    let zeros = [UInt8](repeating: 0, count: min(count, Self.bufferCapacity))
    var rest = count
    while rest > 0 {
      try write(rest < zeros.count ? Array(zeros[..<rest]) : zeros)
      rest -= min(rest, zeros.count)
    }
  }

  /// The rest of a file of `size` bytes, to be written in any order and from several threads at once. What is written meanwhile by
  /// `write` has no place; `commit` may follow when all pieces are there.
  public func places(upTo size: Int) throws(FileError) -> OutputPlaces {
    precondition(size >= byteCount, "'\(path)' has \(byteCount) bytes already")
    try flush()
    byteCount = size
    return OutputPlaces(path: path, descriptor: descriptor, size: size)
  }

  /// Makes the file complete: everything is on disk, then it takes its name. `durable: false` leaves the flush to the system.
  public func commit(durable: Bool = true) throws(FileError) {
    precondition(descriptor >= 0, "'\(path)' is committed after its end")
    try flush()
    // What was reserved and not used.
    guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw FileError.last("write", path) }
    if durable, fsync(descriptor) != 0 { throw FileError.last("write", path) }
    if !overwrite, FileSystem.isTaken(path) { throw FileError(.exists, "'\(path)' already exists") }
    guard rename(partialPath, path) == 0 else { throw FileError.last("rename to", path) }
    close(descriptor)
    descriptor = -1
    Partials.forget(partialPath)
    if durable { FileSystem.synchronize(directory: FileSystem.directoryName(path)) }
  }

  /// Gives the output up and removes the partial file. Harmless after `commit`.
  public func cancel() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    unlink(partialPath)
    Partials.forget(partialPath)
  }

  private func reserve(_ size: Int) throws(FileError) {
    #if canImport(Darwin)
      guard let available = FileSystem.availableBytes(at: path), available < size else { return }
      throw FileError(.noSpace, "'\(path)' needs \(size) bytes, \(available) are free")
    #else
      let code = posix_fallocate(descriptor, 0, off_t(size))
      // Other codes say that the file system cannot reserve: then the write itself will find out.
      guard code == ENOSPC || code == EFBIG || code == EDQUOT else { return }
      throw FileError(.noSpace, "'\(path)' needs \(size) bytes, \(FileSystem.availableBytes(at: path) ?? 0) are free")
    #endif
  }

  private func flush() throws(FileError) {
    let pending = buffer
    buffer.removeAll(keepingCapacity: true)
    let result = pending.withUnsafeBytes { raw in Result { () throws(FileError) in try writeThrough(raw) } }
    try result.get()
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 20))
      #if canImport(Glibc)
        let written = Glibc.write(descriptor, chunk.baseAddress, chunk.count)
      #elseif canImport(Musl)
        let written = Musl.write(descriptor, chunk.baseAddress, chunk.count)
      #else
        let written = Darwin.write(descriptor, chunk.baseAddress, chunk.count)
      #endif
      if written < 0 {
        if errno == EINTR { continue }
        throw FileError.last("write", path)
      }
      rest = rest.dropFirst(written)
    }
  }
}
