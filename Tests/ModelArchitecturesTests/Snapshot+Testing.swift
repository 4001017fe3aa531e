import MTConvTestSupport
import Testing

extension Snapshot {
  /// Records an issue if `text` is not what the file has.
  static func check(_ text: String, at path: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    guard let difference = try difference(text, at: path) else { return }
    Issue.record(Comment(rawValue: difference), sourceLocation: sourceLocation)
  }
}
