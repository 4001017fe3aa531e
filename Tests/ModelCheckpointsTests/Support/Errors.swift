import ModelCheckpoints
import Testing

/// Expects a checkpoint error of this code whose one-line message holds these words.
func expectError(
  _ code: CheckpointError.Code, naming words: String..., location: SourceLocation = #_sourceLocation,
  body: () throws -> Void
) {
  let error = #expect(throws: CheckpointError.self, sourceLocation: location) { try body() }
  guard let error else { return }
  #expect(error.code == code, "\(error.message)", sourceLocation: location)
  for word in words {
    #expect(error.message.contains(word), "\(error.message)", sourceLocation: location)
  }
  #expect(!error.message.contains("\n"), sourceLocation: location)
}
