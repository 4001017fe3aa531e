import Foundation
import TensorFormats

/// A folder of its own for a test, removed when the object goes.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.path + "/mtconv-checkpoints-\(UUID().uuidString)"
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
  func bytes(_ name: String) throws -> [UInt8] { try FileSystem.read(file(name)) }
  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
  }

  /// Everything in it, hidden and partial files too.
  func names() throws -> [String] { try FileSystem.names(in: path) }
}
