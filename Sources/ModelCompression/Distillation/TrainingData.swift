public import ModelCheckpoints
internal import ModelCompute
internal import ModelTokenizers
internal import TensorFormats

/// Documents packed into rows of equal length. A row holds whole documents and pieces of them; each is a sequence of its own, so that
/// no token sees another document (its attention mask is block-diagonal and its positions begin at 0).
public struct TrainingData: Sendable {
  /// Rows of `context` tokens, each the pieces it is made of.
  public let rows: [[[Int]]]
  public let context: Int

  /// Packs token sequences in their order; what does not fill the last row is left out.
  /// - Throws: `CompressionError.notEnoughText` if there is not one row, or in all of them no token that follows another.
  public init(documents: [[Int]], context: Int) throws {
    var rows: [[[Int]]] = []
    var row: [[Int]] = []
    var space = context
    for document in documents {
      var rest = document[...]
      while !rest.isEmpty {
        row.append(Array(rest.prefix(space)))
        rest = rest.dropFirst(space)
        space = context - row.reduce(0) { $0 + $1.count }
        if space == 0 {
          rows.append(row)
          (row, space) = ([], context)
        }
      }
    }
    guard !rows.isEmpty else {
      let count = documents.reduce(0) { $0 + $1.count }
      throw CompressionError(.notEnoughText, "the training text has \(count) tokens, expected at least \(context)")
    }
    guard rows.joined().contains(where: { $0.count > 1 }) else {
      throw CompressionError(
        .notEnoughText, "no document of the training text has two tokens, so there is nothing to predict")
    }
    self.rows = rows
    self.context = context
  }

  /// Reads a file: text is one document, of JSON lines each is one, and token ids are used as they are.
  public init(reading input: TextInput, model: Checkpoint, context: Int) throws {
    do {
      switch input.kind {
      case .text:
        try self.init(texts: [input.text()], model: model, context: context)
      case .jsonLines(let field):
        let documents = try JSONLines(file: MappedFile(path: input.path), field: field).map { try $0.get() }
        try self.init(texts: documents, model: model, context: context)
      case .tokens:
        let set = try CalibrationSet(tokens: FileSystem.read(input.path), model: model, limit: nil)
        try self.init(documents: set.sequences, context: context)
      }
    } catch let error as CompressionError {
      throw CompressionError(error.code, "'\(input.path)': \(error.message)")
    }
  }

  /// Reads texts with the tokenizer of a model. Where the model has tokens for them, a document begins and ends with one.
  public init(texts: [String], model: Checkpoint, context: Int) throws {
    guard let description = try model.tokenizerDescription() else {
      throw CompressionError(.notEnoughText, "'\(model.path)' has no tokenizer to read text with")
    }
    let tokenizer = try Tokenizer(description)
    let beginning = description.addsBeginning ? description.beginningToken : nil
    let documents = texts.map { text in
      let tokens = tokenizer.encode(text, addsSpecialTokens: false, parsesSpecialTokens: false)
      return [beginning].compactMap { $0 } + tokens + [description.endToken].compactMap { $0 }
    }
    try model.checkTokens(documents)
    try self.init(documents: documents, context: context)
  }

  /// Which row is the `index`-th of a run. Every row comes once in an epoch, in an order that follows from seed and epoch.
  ///
  /// Nothing but `index` has to be remembered to go on with a run.
  public func row(at index: Int, seed: UInt64) -> Int {
    let (epoch, place) = index.quotientAndRemainder(dividingBy: rows.count)
    var generator = SplitMix64(seed: seed &+ 0x9E37_79B9 &* UInt64(epoch))
    return Array(rows.indices).shuffled(using: &generator)[place]
  }

  /// The batch of the `index`-th row.
  func batch(row: Int) -> TokenBatch { TokenBatch(rows[row]) }
}

extension TrainingData {
  /// Tells this text in these rows from any other.
  var fingerprint: String {
    var hasher = ContentHasher()
    for piece in rows.joined() {
      hasher.update("\(piece.count)\n")
      piece.map { UInt32($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
    }
    return hasher.finalized().short
  }
}
