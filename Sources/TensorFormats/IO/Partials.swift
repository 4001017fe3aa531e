internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The unfinished outputs of this process: what an interrupted run has to remove.
public enum Partials {
  private static let paths = Mutex<Set<String>>([])

  static func register(_ path: String) { paths.withLock { _ = $0.insert(path) } }
  static func forget(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Removes every unfinished file and directory. For a signal handler that runs on a queue, before the process exits.
  public static func removeAll() {
    let remaining = paths.withLock { paths in
      defer { paths = [] }
      return paths
    }
    for path in remaining { FileSystem.remove(path) }
  }

  /// A name beside `path` that no other output of this machine uses.
  static func name(for path: String, kind: String = "partial") -> String {
    "\(path).\(kind)-\(getpid())-\(UInt32.random(in: 0 ... .max))"
  }
}
