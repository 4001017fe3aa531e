public import ModelCheckpoints
internal import ModelTokenizers

extension Checkpoint {
  /// Throws if an id means another token to this model than to `student`, which would learn noise from it.
  ///
  /// Only what both have is compared, and only where text has it: a vocabulary may be padded, have more added tokens, and call those
  /// that steer the model otherwise. Models without a tokenizer are taken as they are.
  public func checkTeaches(_ student: Checkpoint) throws {
    guard let own = try tokenizerDescription(), let other = try student.tokenizerDescription(),
      let id = own.firstDifference(from: other)
    else { return }
    throw CompressionError(
      .invalidTokens,
      "the teacher '\(path)' has another tokenizer than the student '\(student.path)': token \(id) is '\(own.tokens[id])' in the"
        + " teacher and '\(other.tokens[id])' in the student")
  }

  /// As `checkTokens`, of a model that shall say something about the tokens of another.
  public func checkTeacherTokens(_ sequences: some Sequence<[Int]>) throws {
    do {
      try checkTokens(Array(sequences))
    } catch let error as CompressionError {
      throw CompressionError(error.code, "\(error.message) of the teacher '\(path)'")
    }
  }
}

extension TokenizerDescription {
  /// The first id of text that both have and that is another token in each.
  fileprivate func firstDifference(from other: Self) -> Int? {
    (0..<min(tokens.count, other.tokens.count)).first { id in
      let types = [tokenTypes[id], other.tokenTypes[id]]
      return tokens[id] != other.tokens[id] && !types.contains(.unused) && types != [.control, .control]
    }
  }
}
