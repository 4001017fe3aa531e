#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A file of a long computation's own, read and written at any place through the system calls, so that what it holds is not part of
/// the process's memory.
///
/// It stays where it is when the object goes: a computation that was stopped finds it again. Threads may use places of their own at once.
public final class ScratchFile: Sendable {
  public let path: String
  private let descriptor: Int32

  /// Opens the file, or makes an empty one.
  public init(path: String) throws(FileError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError.last("open", path) }
  }

  /// Makes a file without a name in a folder: its memory on the disk is free again when the object or the process goes.
  public init(unnamedIn folder: String) throws(FileError) {
    let name = Partials.name(for: FileSystem.join(folder, ".mtconv"), kind: "scratch")
    let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileError.last("create a file in", folder) }
    unlink(name)
    self.descriptor = descriptor
    path = folder
  }

  deinit { close(descriptor) }

  public func byteCount() throws(FileError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError.last("read", path) }
    return Int(status.st_size)
  }

  /// Fills `bytes` with what stands at `offset`.
  /// - Throws: `FileError.truncated` if the file ends before.
  public func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[done...].prefix(1 << 30))
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 {
        if errno == EINTR { continue }
        throw FileError.last("read", path)
      }
      guard count > 0 else {
        throw FileError(
          .truncated, "'\(path)' ends at byte \(offset + done), expected at least \(offset + bytes.count)")
      }
      done += count
    }
  }

  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...].prefix(1 << 30))
      let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count < 0 {
        if errno == EINTR { continue }
        throw FileError.last("write", path)
      }
      done += count
    }
  }

  /// Puts everything written on the disk.
  public func synchronize() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError.last("write", path) }
  }

  /// Lets the system forget what it keeps of a range that is not read again soon.
  public func release(_ range: Range<Int>) {
    #if !canImport(Darwin)
      posix_fadvise(descriptor, off_t(range.lowerBound), off_t(range.count), Int32(POSIX_FADV_DONTNEED))
    #endif
  }

  /// Takes the file for this process until the object goes; false if another process has it.
  public func lock() throws(FileError) -> Bool {
    guard lockf(descriptor, F_TLOCK, 0) != 0 else { return true }
    guard errno == EACCES || errno == EAGAIN else { throw FileError.last("lock", path) }
    return false
  }
}

extension FileSystem {
  /// Makes a directory, if there is none yet; the one above it must exist.
  public static func makeDirectory(_ path: String) throws(FileError) {
    guard mkdir(path, 0o777) != 0 else { return }
    guard errno == EEXIST, kind(of: path) == .directory else { throw FileError.last("create", path) }
  }

  /// Removes a directory that holds nothing; one that holds something stays.
  public static func removeEmptyDirectory(_ path: String) { rmdir(path) }

  /// Removes a file; nothing happens if there is none.
  public static func removeFile(_ path: String) throws(FileError) {
    guard unlink(path) != 0, errno != ENOENT else { return }
    throw FileError.last("remove", path)
  }
}
