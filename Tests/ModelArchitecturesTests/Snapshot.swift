import Foundation
import TensorFormats
import Testing

/// A text under version control that must be what the code makes of it today.
///
/// `MTCONV_RECORD=1 swift test --filter ModelArchitecturesTests` writes the texts anew; look at the difference then.
enum Snapshot {
  static func check(_ text: String, at path: String) throws {
    if ProcessInfo.processInfo.environment["MTCONV_RECORD"] != nil {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    let stored = String(decoding: try FileSystem.read(path), as: UTF8.self)
    #expect(stored == text, "\(FileSystem.baseName(path)) is not current; record it anew with MTCONV_RECORD=1")
  }
}
