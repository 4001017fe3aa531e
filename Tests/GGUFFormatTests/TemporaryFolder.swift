import Foundation

/// A folder of its own for a test, removed when the object goes.
final class TemporaryFolder {
  let path = NSTemporaryDirectory() + "/gguf-\(UUID().uuidString)"

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}
