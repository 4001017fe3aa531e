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

  /// Removes every unfinished file and directory. For a signal handler that runs on a queue.
  ///
  /// Whoever begins an output meanwhile waits until this is done; a handler that ends the process does so in `end`, so that no
  /// output is begun behind its back.
  public static func removeAll(thenEnd end: () -> Void = {}) {
    paths.withLock { paths in
      for path in paths {
        // What another thread was just creating in a directory can be in the way of its removal.
        for _ in 0..<8 where FileSystem.isTaken(path) { FileSystem.remove(path) }
      }
      paths = []
      end()
    }
  }

  /// A name beside `path` that no other output of this machine uses.
  static func name(for path: String, kind: String = "partial") -> String {
    "\(path).\(kind)-\(getpid())-\(UInt32.random(in: 0 ... .max))"
  }
}
