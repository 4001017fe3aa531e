/// Text to token ids and back, as a ``TokenizerDescription`` says.
///
/// Gives exactly the ids of Hugging Face `tokenizers`. A value is immutable and may be used from several threads at once.
public struct Tokenizer: Sendable {
  private let preTokenizer: PreTokenizer
  private let normalizer: TextNormalizer
  private let encoder: BytePairEncoder
  /// The bytes of each token; those of the model's own vocabulary are indexed.
  private let table: TokenTable
  private let ignoresMerges: Bool
  private let plainMatcher: AddedTokenMatcher
  private let normalizedMatcher: AddedTokenMatcher
  private let specialTokens: Set<Int>
  private let prefix: [Int]
  private let suffix: [Int]

  /// Builds the tables. Takes about a quarter of a second for a vocabulary of 128,000.
  ///
  /// Throws `unsupported` for a kind of tokenizer that this library does not run, and one of the other codes for a
  /// description that contradicts itself.
  public init(_ description: TokenizerDescription) throws(TokenizerError) {
    try description.checkSupport()
    try description.checkAddedTokens()
    let table = try TokenTable(description)
    encoder = BytePairEncoder(
      merges: try MergeTable(description, table),
      byteTokens: (UInt8.min...UInt8.max).map { table.id(of: [$0]) ?? description.unmatchedByteToken })
    self.table = table
    preTokenizer = description.preTokenizer
    normalizer = description.normalizer
    ignoresMerges = description.ignoresMerges
    let plain = description.addedTokens.filter { !$0.isNormalized }
    let normalized = description.addedTokens.filter { $0.isNormalized }
    plainMatcher = AddedTokenMatcher(plain, spellings: plain.map { Array($0.content.utf8) })
    normalizedMatcher = AddedTokenMatcher(
      normalized, spellings: normalized.map { description.normalizer.normalize(Array($0.content.utf8)) })
    specialTokens = Set(description.addedTokens.lazy.filter(\.isSpecial).map(\.id))
    prefix = try description.addsBeginning ? [description.required(description.beginningToken, "beginning")] : []
    suffix = try description.addsEnd ? [description.required(description.endToken, "end")] : []
  }

  /// The number of ids: every id is below it.
  public var vocabularyCount: Int { table.count }

  /// The token ids of a text.
  ///
  /// - Parameters:
  ///   - addsSpecialTokens: Puts the beginning and end tokens around the text, where the tokenizer has it so.
  ///   - parsesSpecialTokens: Special tokens spelled in the text are tokens; otherwise they are text like any other.
  ///     Added tokens that are not special are always tokens.
  public func encode(_ text: String, addsSpecialTokens: Bool = true, parsesSpecialTokens: Bool = true) -> [Int] {
    var ids = addsSpecialTokens ? prefix : []
    var text = text
    text.withUTF8 { bytes in
      ids.reserveCapacity(ids.count + bytes.count / 3 + 2)
      for segment in plainMatcher.segments(of: bytes, parsesSpecialTokens: parsesSpecialTokens) {
        if let id = segment.id {
          ids.append(id)
        } else {
          encodePiece(UnsafeBufferPointer(rebasing: bytes[segment.range]), parsesSpecialTokens, into: &ids)
        }
      }
    }
    if addsSpecialTokens { ids += suffix }
    return ids
  }

  /// The text of token ids; bytes that are not UTF-8 become U+FFFD. Ids that are not in the vocabulary are left out.
  public func decode(_ ids: [Int], skipsSpecialTokens: Bool = false) -> String {
    String(decoding: decodeBytes(ids, skipsSpecialTokens: skipsSpecialTokens), as: UTF8.self)
  }

  /// The bytes of token ids, which may start or end amid a character.
  public func decodeBytes(_ ids: [Int], skipsSpecialTokens: Bool = false) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids where id >= 0 && id < table.count {
      if skipsSpecialTokens, specialTokens.contains(id) { continue }
      bytes += table[id]
    }
    return bytes
  }
}

extension Tokenizer {
  /// Normalizes a text without plain added tokens and cuts the normalized ones out of it.
  private func encodePiece(_ bytes: UnsafeBufferPointer<UInt8>, _ parsesSpecialTokens: Bool, into ids: inout [Int]) {
    if let normalized = normalizer.changed(bytes) {
      normalized.withUnsafeBufferPointer { encodeNormalized($0, parsesSpecialTokens, into: &ids) }
    } else {
      encodeNormalized(bytes, parsesSpecialTokens, into: &ids)
    }
  }

  private func encodeNormalized(
    _ bytes: UnsafeBufferPointer<UInt8>, _ parsesSpecialTokens: Bool, into ids: inout [Int]
  ) {
    for segment in normalizedMatcher.segments(of: bytes, parsesSpecialTokens: parsesSpecialTokens) {
      if let id = segment.id {
        ids.append(id)
      } else {
        encodeWords(UnsafeBufferPointer(rebasing: bytes[segment.range]), into: &ids)
      }
    }
  }

  private func encodeWords(_ bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int]) {
    CharacterClass.table.withUnsafeBufferPointer { classes in
      guard let classes = classes.baseAddress,
        var scanner = WordScanner(preTokenizer, bytes: bytes, classes: classes)
      else { return }
      var cache = WordCache(textCount: bytes.count)
      var start = 0
      while start < bytes.count {
        let end = scanner.end(of: start)
        let word = UnsafeBufferPointer(rebasing: bytes[start..<end])
        if !cache.append(word, at: start, of: bytes, to: &ids) {
          let first = ids.count
          encodeWord(word, into: &ids)
          cache.insert(first..<ids.count)
        }
        start = end
      }
    }
  }

  private func encodeWord(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int]) {
    if ignoresMerges, let id = table.id(of: word) {
      ids.append(id)
    } else {
      encoder.encode(word, into: &ids)
    }
  }
}
