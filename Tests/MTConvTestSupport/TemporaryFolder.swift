internal import Foundation
internal import TensorFormats

/// A folder of its own for a test, removed when the object goes.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() {
    path = FileManager.default.temporaryDirectory.path + "/mtconv-tests-\(UUID().uuidString)"
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a name inside.
  public func file(_ name: String) -> String { FileSystem.join(path, name) }

  @discardableResult
  public func write(_ bytes: [UInt8], to name: String) throws -> String {
    // Atomic: a mapped file of that name keeps its own bytes.
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)), options: .atomic)
    return file(name)
  }

  @discardableResult
  public func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }

  public func bytes(of name: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(fileURLWithPath: file(name)))) }

  public func text(of name: String) throws -> String { String(decoding: try bytes(of: name), as: UTF8.self) }

  /// Everything in it, hidden and partial files too.
  public func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

  public func makeDirectory(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
  }

  public func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: file(name), withDestinationPath: target)
  }

  /// Changes one byte of a file.
  public func flip(byte offset: Int, of name: String) throws {
    var bytes = try bytes(of: name)
    bytes[offset] ^= 1
    try write(bytes, to: name)
  }
}
