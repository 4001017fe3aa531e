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

  /// Whether `path` names anything, be it a link that leads nowhere.
  public static func isTaken(_ path: String) -> Bool { ownMode(of: path) != nil }

  /// Where `path` stands: absolute, no link on the way, a link at its end in its own place. Nothing need be there, but the
  /// directory must; otherwise nil.
  public static func place(of path: String) -> String? {
    let isLink = ownMode(of: path) == S_IFLNK
    if !isLink, let place = resolved(path) { return place }
    return resolved(directoryName(path)).map { join($0, baseName(path)) }
  }

  /// The absolute path of what `path` names, links followed; nil if there is nothing.
  public static func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Whether an absolute path is `directory` or leads into it.
  public static func isInside(_ path: String, _ directory: String) -> Bool {
    path.utf8.elementsEqual(directory.utf8) || path.utf8.starts(with: (directory == "/" ? "/" : directory + "/").utf8)
  }

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
    let blocks = Int(clamping: status.f_bavail)
    let (bytes, overflow) = blocks.multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
    return overflow ? .max : bytes
  }

  /// The path without its last component: `a/b` gives `a`, `b` gives `.`, `/b` gives `/`.
  public static func directoryName(_ path: String) -> String {
    let bytes = trimmed(path.utf8[...])
    guard let slash = bytes.lastIndex(of: separator) else { return path.utf8.first == separator ? "/" : "." }
    let directory = trimmed(bytes[..<slash])
    return directory.isEmpty ? "/" : String(decoding: directory, as: UTF8.self)
  }

  /// The last component of a path: `a/b.gguf` gives `b.gguf`, `a/` gives `a`, `/` itself.
  public static func baseName(_ path: String) -> String {
    let bytes = trimmed(path.utf8[...])
    guard !bytes.isEmpty else { return path.isEmpty ? "" : "/" }
    guard let slash = bytes.lastIndex(of: separator) else { return String(decoding: bytes, as: UTF8.self) }
    return String(decoding: bytes[bytes.index(after: slash)...], as: UTF8.self)
  }

  /// The path of `name` in `directory`; the empty directory is the current one.
  public static func join(_ directory: String, _ name: String) -> String {
    guard let last = directory.utf8.last else { return name }
    return last == separator ? directory + name : directory + "/" + name
  }

  /// The path without slashes at its end; of `/` one stays.
  public static func withoutSlashes(_ path: String) -> String {
    let rest = trimmed(path.utf8[...])
    return rest.isEmpty ? String(path.prefix(1)) : String(decoding: rest, as: UTF8.self)
  }

  // Paths are bytes: as characters, a slash and a following accent would be one.
  private static let separator = UInt8(ascii: "/")

  /// Without slashes at the end.
  static func trimmed(_ bytes: Substring.UTF8View) -> Substring.UTF8View {
    bytes.last == separator ? trimmed(bytes.dropLast()) : bytes
  }

  /// Whether `path` itself is a directory, not a link to one.
  static func isDirectory(_ path: String) -> Bool { ownMode(of: path) == S_IFDIR }

  /// What kind of thing `path` itself is; nil if there is nothing.
  private static func ownMode(of path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  /// Removes a file, or a directory with all it holds; links are removed, not followed. Errors are ignored.
  static func remove(_ path: String) {
    guard isDirectory(path) else {
      unlink(path)
      return
    }
    for name in (try? names(in: path)) ?? [] { remove(join(path, name)) }
    rmdir(path)
  }

  /// Makes a finished rename durable, as far as the file system can.
  static func synchronize(directory path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
