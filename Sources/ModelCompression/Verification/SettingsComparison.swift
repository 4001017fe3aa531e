internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelTokenizers

/// What a written model must have from the recipe's beside weights: how text becomes tokens, and how many of them fit.
struct SettingsComparison {
  /// What is different, in a few words each.
  private(set) var differences: [String] = []

  /// - Throws: what reading the tokenizers throws.
  init(of written: Checkpoint, against expected: Checkpoint) throws {
    compare("context length", written.hyperparameters.contextLength, expected.hyperparameters.contextLength)
    guard let theirs = try expected.tokenizerDescription() else { return }
    guard let ours = try written.tokenizerDescription() else {
      differences.append("no tokenizer")
      return
    }
    // A file may hold fillers behind the last token.
    if let id = Self.firstDifference(ours.tokens, theirs.tokens) {
      compare("token \(id)", "'\(ours.tokens[id])'", "'\(theirs.tokens[id])'")
    }
    if ours.tokens.count < theirs.tokens.count { compare("number of tokens", ours.tokens.count, theirs.tokens.count) }
    if let rank = Self.firstDifference(ours.merges, theirs.merges) {
      compare("merge \(rank)", Self.text(ours.merges[rank]), Self.text(theirs.merges[rank]))
    }
    compare("number of merges", ours.merges.count, theirs.merges.count)
    compare("beginning token", ours.beginningToken, theirs.beginningToken)
    compare("end token", ours.endToken, theirs.endToken)
    compare("sequences begin with a token", ours.addsBeginning, theirs.addsBeginning)
    compare("sequences end with a token", ours.addsEnd, theirs.addsEnd)
  }

  private static func firstDifference<Value: Equatable>(_ a: [Value], _ b: [Value]) -> Int? {
    zip(a, b).enumerated().first { $1.0 != $1.1 }?.offset
  }

  private static func text(_ merge: Merge) -> String { "'\(merge.left) \(merge.right)'" }

  private mutating func compare<Value: Equatable>(_ name: String, _ found: Value, _ expected: Value) {
    if found != expected { differences.append("\(name) is \(found), expected \(expected)") }
  }

  /// Nothing expected: any value will do, such as an id that only GGUF needs.
  private mutating func compare(_ name: String, _ found: Int?, _ expected: Int?) {
    guard let expected, found != expected else { return }
    differences.append("\(name) is \(found.map(String.init) ?? "not named"), expected \(expected)")
  }
}
