#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The few questions this package asks a file system.
public enum FileSystem {
  public enum Kind: Sendable { case file, directory, other }

  /// What `path` names, links followed; nil if there is nothing.
  public static func kind(of path: String) -> Kind? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .directory
    default: return .other
    }
  }

  public static func exists(_ path: String) -> Bool { kind(of: path) != nil }

  /// Bytes of the file at `path`, links followed.
  public static func size(of path: String) throws(FileError) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileError.last("read", path) }
    return Int(status.st_size)
  }

  /// The names in a directory, sorted, without `.` and `..`.
  public static func names(in directory: String) throws(FileError) -> [String] {
    guard let stream = opendir(directory) else { throw FileError.last("list", directory) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// The whole content of a small file. Refuses more than `limit` bytes (default 1 GiB).
  public static func read(_ path: String, limit: Int = 1 << 30) throws(FileError) -> [UInt8] {
    let file = try MappedFile(path: path)
    guard file.byteCount <= limit else {
      throw FileError(.notAFile, "'\(path)' has \(file.byteCount) bytes, expected at most \(limit)")
    }
    return file.withBytes { Array($0) }
  }

  /// Bytes that an unprivileged process may still write to the file system that holds `path` (which need not exist yet).
  public static func availableBytes(at path: String) -> Int? {
    var status = statvfs()
    var candidate = path
    while statvfs(candidate, &status) != 0 {
      let parent = directoryName(candidate)
      if parent == candidate { return nil }
      candidate = parent
    }
    let (bytes, overflow) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
    return overflow ? .max : bytes
  }

  /// The path without its last component: `a/b` gives `a`, `b` gives `.`.
  public static func directoryName(_ path: String) -> String {
    var end = path.utf8.endIndex
    while end > path.startIndex, path.utf8[path.utf8.index(before: end)] == UInt8(ascii: "/") {
      end = path.utf8.index(before: end)
    }
    guard let slash = path[..<end].lastIndex(of: "/") else { return path.hasPrefix("/") ? "/" : "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last component of a path: `a/b.gguf` gives `b.gguf`.
  public static func baseName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  public static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  static func makeDirectory(_ path: String) throws(FileError) {
    guard mkdir(path, 0o777) == 0 else { throw FileError.last("create", path) }
  }

  /// Removes a file, or a directory with all it holds; links are removed, not followed. Errors are ignored.
  static func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      unlink(path)
      return
    }
    for name in (try? names(in: path)) ?? [] { remove(join(path, name)) }
    rmdir(path)
  }

  /// Makes a finished rename durable.
  static func synchronize(directory path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
