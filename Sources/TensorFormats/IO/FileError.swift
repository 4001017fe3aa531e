#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A file operation that the system refused.
public struct FileError: Error, Equatable, CustomStringConvertible {
  public enum Code: Sendable {
    case notFound, notAFile, exists, permission, noSpace, truncated, system
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public static func == (a: Self, b: Self) -> Bool { a.code == b.code }
  public var description: String { message }

  /// The error of the system call that has just failed, from `errno`.
  static func last(_ action: String, _ path: String) -> FileError {
    let number = errno
    let code: Code =
      switch number {
      case ENOENT, ENOTDIR: .notFound
      case EISDIR: .notAFile
      case EEXIST, ENOTEMPTY: .exists
      case EACCES, EPERM, EROFS: .permission
      case ENOSPC, EDQUOT: .noSpace
      default: .system
      }
    return FileError(code, "cannot \(action) '\(path)': \(String(cString: strerror(number)).lowercased())")
  }
}
