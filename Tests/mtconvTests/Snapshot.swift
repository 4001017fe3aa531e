import Foundation
import MTConvTestSupport
import Testing

/// Texts that people read, kept under `Fixtures/snapshots` so that a change of them is seen.
///
/// `MTCONV_UPDATE_SNAPSHOTS=1 swift test --filter mtconvTests` writes them anew.
enum Snapshot {
  static func expect(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let path = Fixture.path("snapshots/" + name)
    if ProcessInfo.processInfo.environment["MTCONV_UPDATE_SNAPSHOTS"] == "1" {
      let folder = Fixture.path("snapshots")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return
    }
    let expected = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let (lines, kept) = (text.split(separator: "\n"), expected.split(separator: "\n"))
    let difference = lines.difference(from: kept).map { change in
      switch change {
      case .insert(_, let line, _): "+ \(line)"
      case .remove(_, let line, _): "- \(line)"
      }
    }
    #expect(text == expected, "\(name):\n\(difference.joined(separator: "\n"))", sourceLocation: sourceLocation)
  }
}
