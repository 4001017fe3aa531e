#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
internal import TensorFormats

/// The folder where a compression keeps what it has worked out, so that one that was stopped, or is made again, goes on from there.
///
/// Beside each file `name` lies `name.key`: what the file depends on, in words and hashes. A file is used again only for the
/// same key; both appear under their names when they are complete, the key last.
public struct CompressionWork: Sendable {
  public let path: String

  /// Opens the folder, or makes it.
  public init(path: String) throws {
    self.path = path
    guard mkdir(path, 0o777) != 0 else { return }
    guard FileSystem.kind(of: path) == .directory else {
      throw FileError(.notAFile, "'\(path)' cannot be made, or is no folder")
    }
  }

  public func file(_ name: String) -> String { FileSystem.join(path, name) }

  /// Whether there is a file of this key.
  public func has(_ name: String, key: String) -> Bool {
    guard FileSystem.exists(file(name)), let bytes = try? FileSystem.read(keyPath(name)) else { return false }
    return String(decoding: bytes, as: UTF8.self) == key
  }

  /// What stands in a file of this key, or what `make` puts there.
  ///
  /// - Parameters:
  ///   - load: reads the file at a path.
  ///   - make: works the value out and writes it to a path, replacing what is there.
  /// - Returns: the value, and whether it was there.
  public func value<Value>(
    _ name: String, key: String, load: (String) throws -> Value, make: (String) throws -> Value
  ) throws -> (value: Value, isReused: Bool) {
    if has(name, key: key) { return (try load(file(name)), true) }
    unlink(keyPath(name))
    let value = try make(file(name))
    try note(name, key: key)
    return (value, false)
  }

  /// Notes that a file of this name is complete, and what it depends on.
  public func note(_ name: String, key: String) throws {
    let output = try OutputFile(path: keyPath(name), overwrite: true)
    try output.write(Array(key.utf8))
    try output.commit()
  }

  /// Leaves these files for a reader, and forgets what they depend on, so that they are not used again.
  public func forget(_ names: [String]) {
    for name in names { unlink(keyPath(name)) }
  }

  /// Removes these files, their keys, and the folder if nothing else is in it and it is not needed any more.
  public func remove(_ names: [String], keepingFolder: Bool = false) {
    for name in names {
      unlink(file(name))
      unlink(keyPath(name))
    }
    if !keepingFolder { rmdir(path) }
  }

  private func keyPath(_ name: String) -> String { file(name + ".key") }
}
