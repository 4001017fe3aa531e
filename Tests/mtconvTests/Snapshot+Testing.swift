import MTConvTestSupport
import Testing

extension Snapshot {
  /// Records an issue if `text` is not what `Fixtures/snapshots` has under this name.
  static func expect(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    guard let difference = try difference(text, at: Fixture.path("snapshots/" + name)) else { return }
    Issue.record(Comment(rawValue: difference), sourceLocation: sourceLocation)
  }
}
