/// Cuts added tokens out of a text: the leftmost match wins, among those the longest.
///
/// Works as the added vocabulary of Hugging Face `tokenizers`: a match that is refused (a special token where those are
/// plain text, a single-word token inside a word) is skipped whole, and white space that a token takes along is its own.
struct AddedTokenMatcher: Sendable {
  /// A stretch of the text: an added token, or text between such (`id` is nil).
  struct Segment {
    let range: Range<Int>
    let id: Int?
  }

  private struct Match {
    let token: Int
    let end: Int
  }

  private let tokens: [AddedToken]
  /// Bytes that start a token.
  private let isFirst: [Bool]
  /// A trie: the edge of node `n` by byte `b` leads from key `n << 8 | b`. Node 0 is the root.
  private var edges: [Int: Int] = [:]
  /// The index into `tokens` of the token that ends at a node.
  private var ends: [Int: Int] = [:]

  /// - Parameter spellings: what to look for, one for each token (normalized, if the text will be).
  init(_ tokens: [AddedToken], spellings: [[UInt8]]) {
    self.tokens = tokens
    var isFirst = [Bool](repeating: false, count: 256)
    var nodeCount = 1
    for (index, spelling) in spellings.enumerated() {
      guard let first = spelling.first else { continue }
      isFirst[Int(first)] = true
      var node = 0
      for byte in spelling {
        let key = node << 8 | Int(byte)
        if let next = edges[key] {
          node = next
        } else {
          edges[key] = nodeCount
          node = nodeCount
          nodeCount += 1
        }
      }
      ends[node] = index
    }
    self.isFirst = isFirst
  }

  var isEmpty: Bool { tokens.isEmpty }

  /// The segments of `bytes`, in order; none for an empty text.
  func segments(of bytes: UnsafeBufferPointer<UInt8>, parsesSpecialTokens: Bool) -> [Segment] {
    var result: [Segment] = []
    var covered = 0
    var position = 0
    while !isEmpty, let (start, match) = nextMatch(in: bytes, from: position) {
      position = match.end
      let token = tokens[match.token]
      if token.isSpecial && !parsesSpecialTokens { continue }
      if token.isSingleWord, isInsideWord(bytes, start..<match.end) { continue }
      let first = token.stripsLeft ? max(spaceStart(bytes, start), covered) : start
      let end = token.stripsRight ? spaceEnd(bytes, match.end) : match.end
      if covered < first { result.append(Segment(range: covered..<first, id: nil)) }
      result.append(Segment(range: first..<end, id: token.id))
      covered = end
    }
    if covered < bytes.count { result.append(Segment(range: covered..<bytes.count, id: nil)) }
    return result
  }

  private func nextMatch(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> (Int, Match)? {
    isFirst.withUnsafeBufferPointer { isFirst in
      var position = start
      while position < bytes.count {
        if isFirst[Int(bytes[position])], let match = longestMatch(in: bytes, at: position) { return (position, match) }
        position += 1
      }
      return nil
    }
  }

  private func longestMatch(in bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Match? {
    var longest: Match?
    var node = 0
    var position = start
    while position < bytes.count, let next = edges[node << 8 | Int(bytes[position])] {
      node = next
      position += 1
      if let token = ends[node] { longest = Match(token: token, end: position) }
    }
    return longest
  }

  // MARK: What stands around a match

  private func isInsideWord(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    if range.lowerBound > 0, isWord(base, UTF8Reading.previous(base, range.lowerBound)) { return true }
    return range.upperBound < bytes.count && isWord(base, range.upperBound)
  }

  /// `\w` as Unicode TR 18 has it.
  private func isWord(_ bytes: UnsafePointer<UInt8>, _ position: Int) -> Bool {
    guard let scalar = Unicode.Scalar(UTF8Reading.scalar(bytes, position).value) else { return false }
    let properties = scalar.properties
    if properties.isAlphabetic || properties.isJoinControl { return true }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return false
    }
  }

  private func isSpace(_ bytes: UnsafePointer<UInt8>, _ position: Int) -> Bool {
    Unicode.Scalar(UTF8Reading.scalar(bytes, position).value)?.properties.isWhitespace ?? false
  }

  private func spaceStart(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
    guard let base = bytes.baseAddress else { return position }
    var start = position
    while start > 0 {
      let previous = UTF8Reading.previous(base, start)
      if !isSpace(base, previous) { break }
      start = previous
    }
    return start
  }

  private func spaceEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
    guard let base = bytes.baseAddress else { return position }
    var end = position
    while end < bytes.count, isSpace(base, end) { end += UTF8Reading.scalar(base, end).length }
    return end
  }
}
