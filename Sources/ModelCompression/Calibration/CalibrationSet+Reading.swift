internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelTokenizers
internal import TensorFormats

extension CalibrationSet {
  /// Reads sequences from a file.
  ///
  /// - Parameters:
  ///   - context: tokens in a sequence; token ids are used as they are.
  ///   - limit: sequences at most.
  ///   - isSpread: whether they are taken from all over the file, as `spread(to:)` does, and not from its beginning. All of it is read
  ///     then.
  ///   - beginsSequences: whether texts get the model's beginning token; see the initializers.
  /// - Throws: `CompressionError` that names the file and the line, and `FileError`.
  public init(
    reading input: TextInput, model: Checkpoint, context: Int, limit: Int?, isSpread: Bool = false,
    beginsSequences: Bool = true
  ) throws {
    if isSpread, let limit {
      self = try CalibrationSet(
        reading: input, model: model, context: context, limit: nil, beginsSequences: beginsSequences
      ).spread(to: limit)
      return
    }
    do {
      switch input.kind {
      case .text:
        try self.init(
          text: input.text(), model: model, context: context, limit: limit, beginsSequences: beginsSequences)
      case .jsonLines(let field):
        let documents = JSONLines(file: try MappedFile(path: input.path), field: field)
        try self.init(
          documents: documents, model: model, context: context, limit: limit, beginsSequences: beginsSequences)
      case .tokens:
        try self.init(tokens: try FileSystem.read(input.path), model: model, limit: limit)
      }
    } catch let error as CompressionError {
      throw CompressionError(error.code, "'\(input.path)': \(error.message)")
    }
  }

  /// Cuts each document by itself into at most `limit` sequences of up to `context` tokens. What is left at its end is a shorter
  /// sequence, or not used if it has fewer than `shortestSequence` tokens: no sequence goes from one document into the next.
  ///
  /// Models that begin with a special token get it before a document, and in place of the first token of its further sequences.
  init(
    documents: some Sequence<Result<String, CompressionError>>, model: Checkpoint, context: Int, limit: Int?,
    beginsSequences: Bool = true
  ) throws {
    guard let description = try model.tokenizerDescription() else {
      throw CompressionError(.notEnoughText, "'\(model.path)' has no tokenizer to read text with")
    }
    let tokenizer = try Tokenizer(description)
    let beginning = beginsSequences && description.addsBeginning ? description.beginningToken : nil
    var sequences: [[Int]] = []
    var read = 0
    documents: for document in documents {
      read += 1
      let tokens = tokenizer.encode(try document.get(), addsSpecialTokens: false, parsesSpecialTokens: false)
      var rest = ((beginning.map { [$0] } ?? []) + tokens)[...]
      while rest.count >= Self.shortestSequence {
        if sequences.count == limit { break documents }
        var sequence = Array(rest.prefix(context))
        if let beginning { sequence[0] = beginning }
        sequences.append(sequence)
        rest = rest.dropFirst(context)
      }
    }
    guard !sequences.isEmpty else {
      throw CompressionError(
        .notEnoughText, "\(read) documents, none of \(Self.shortestSequence) tokens or more")
    }
    self.init(sequences: sequences)
    try model.checkTokens(sequences)
  }

  /// Tokens that what is left of a document must have.
  public static let shortestSequence = 8

  /// Reads token ids: a JSON array of arrays of ids, or a sequence on each line, ids separated by spaces, tabs or commas. Sequences are
  /// used as they are, without a beginning token and uncut.
  ///
  /// - Throws: `CompressionError.invalidTokens` for what is no token of the model, and for a sequence longer than it was made for.
  init(tokens bytes: [UInt8], model: Checkpoint, limit: Int?) throws {
    let bytes = Array(bytes.withoutByteOrderMark)
    let isJSON = bytes.first { !Self.isSpace($0) && $0 != UInt8(ascii: "\n") } == UInt8(ascii: "[")
    var sequences = try isJSON ? Self.sequences(json: bytes) : Self.sequences(lines: bytes)
    if let limit { sequences = Array(sequences.prefix(limit)) }
    guard !sequences.isEmpty else { throw CompressionError(.invalidTokens, "no sequence of token ids") }
    let longest = model.hyperparameters.contextLength
    for (index, sequence) in sequences.enumerated() {
      if sequence.isEmpty { throw CompressionError(.invalidTokens, "sequence \(index + 1) has no tokens") }
      if longest > 0, sequence.count > longest {
        throw CompressionError(
          .invalidTokens,
          "sequence \(index + 1) has \(sequence.count) tokens, the model was made for at most \(longest)")
      }
    }
    try model.checkTokens(sequences)
    self.init(sequences: sequences)
  }

  private static func sequences(json bytes: [UInt8]) throws -> [[Int]] {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch { throw CompressionError(.invalidTokens, "\(error)") }
    return try (json.array ?? []).enumerated().map { index, sequence in
      let ids = sequence.array?.map(\.int)
      guard let ids, !ids.contains(nil) else {
        throw CompressionError(
          .invalidTokens, "element \(index + 1) is not an array of token ids, expected [[1, 2, …], …]")
      }
      return ids.compactMap { $0 }
    }
  }

  private static func sequences(lines bytes: [UInt8]) throws -> [[Int]] {
    var sequences: [[Int]] = []
    for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      let words = line.split { isSpace($0) || $0 == UInt8(ascii: ",") }
      if words.isEmpty { continue }
      sequences.append(
        try words.map { word in
          let text = String(decoding: word, as: UTF8.self)
          guard let token = Int(text) else {
            throw CompressionError(.invalidTokens, "line \(number + 1): '\(text.prefix(40))' is no token id")
          }
          return token
        })
    }
    return sequences
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
}

/// The documents of a JSON Lines file: on each line an object, and in one of its fields a string.
struct JSONLines: Sequence {
  let file: MappedFile
  let field: String

  func makeIterator() -> Iterator { Iterator(lines: self) }

  struct Iterator: IteratorProtocol {
    fileprivate let lines: JSONLines
    private var offset: Int
    private var number = 0

    fileprivate init(lines: JSONLines) {
      self.lines = lines
      offset = lines.file.withBytes { $0.withoutByteOrderMark.startIndex }
    }

    mutating func next() -> Result<String, CompressionError>? {
      lines.file.withBytes { bytes in
        while offset < bytes.count {
          let end = bytes[offset...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
          let line = UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
          offset = end + 1
          number += 1
          guard line.contains(where: { !$0.isJSONSpace }) else { continue }
          return Result { () throws(CompressionError) in try document(line) }
        }
        return nil
      }
    }

    private func document(_ line: UnsafeRawBufferPointer) throws(CompressionError) -> String {
      func fail(_ what: String) -> CompressionError { CompressionError(.notEnoughText, "line \(number): \(what)") }
      let json: JSON
      do { json = try JSON(parsing: line) } catch { throw fail("\(error)") }
      guard let object = json.object else { throw fail("not a JSON object") }
      guard let value = object[lines.field] else {
        let fields = object.keys.map { "'\($0)'" }.joined(separator: ", ")
        throw fail("no field '\(lines.field)', found \(fields.isEmpty ? "none" : fields)")
      }
      guard let text = value.string else {
        throw fail("field '\(lines.field)' is not a string; chats and lists are not turned into text")
      }
      return text
    }
  }
}

extension UInt8 {
  fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}
