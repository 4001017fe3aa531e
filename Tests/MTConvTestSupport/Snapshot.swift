internal import Foundation
internal import TensorFormats

/// A text under version control that must be what the code makes of it today.
///
/// `MTCONV_RECORD=1 swift test` writes the texts anew; look at the difference then.
public enum Snapshot {
  /// What differs between `text` and the file at `path`, a line each; nil if nothing does.
  public static func difference(_ text: String, at path: String) throws -> String? {
    if ProcessInfo.processInfo.environment["MTCONV_RECORD"] != nil {
      let folder = FileSystem.directoryName(path)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    let stored = (try? FileSystem.read(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    guard stored != text else { return nil }
    func lines(_ text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    let changes = lines(text).difference(from: lines(stored)).map { change in
      switch change {
      case .insert(_, let line, _): "+ \(line)"
      case .remove(_, let line, _): "- \(line)"
      }
    }
    let name = FileSystem.baseName(path)
    return "\(name) is not current; record it anew with MTCONV_RECORD=1\n" + changes.joined(separator: "\n")
  }
}
