/// Finds the words of a text: exactly the matches of the pre-tokenizer's pattern, without a regex engine.
///
/// The patterns cover every character, so the words follow each other without gaps. `(?!\S)` sees the end of a piece (an
/// added token, or for ``PreTokenizer/smollm`` a digit) as the end of the text, because the splits before it cut there.
struct WordScanner {
  private let bytes: UnsafePointer<UInt8>
  private let count: Int
  private let classes: UnsafePointer<CharacterClass>
  private let rule: Rule
  /// The end of the piece in which words are sought: the next digit for `smollm`, else the end of the text.
  private var limit: Int

  private enum Rule {
    case gpt2, isolatedDigitsGPT2
    case modern(maximumDigits: Int)
  }

  /// - Parameters:
  ///   - bytes: UTF-8.
  ///   - classes: ``CharacterClass/table``.
  init?(_ preTokenizer: PreTokenizer, bytes: UnsafeBufferPointer<UInt8>, classes: UnsafePointer<CharacterClass>) {
    switch preTokenizer {
    case .gpt2: rule = .gpt2
    case .smollm: rule = .isolatedDigitsGPT2
    case .llama3: rule = .modern(maximumDigits: 3)
    case .qwen2: rule = .modern(maximumDigits: 1)
    case .unsupported: return nil
    }
    guard let base = bytes.baseAddress else { return nil }
    self.bytes = base
    count = bytes.count
    self.classes = classes
    if case .isolatedDigitsGPT2 = rule { limit = 0 } else { limit = bytes.count }
  }

  /// The end of the word that starts at `start`; `start` must be the end of the word before, or 0.
  @inline(__always)
  mutating func end(of start: Int) -> Int {
    switch rule {
    case .gpt2:
      return gpt2End(start)
    case .modern(let maximumDigits):
      return modernEnd(start, maximumDigits)
    case .isolatedDigitsGPT2:
      let (kind, next) = read(start, count)
      if kind == .number { return next }
      if start >= limit { limit = skip(from: next, to: count) { $0 != .number } }
      return gpt2End(start)
    }
  }

  // MARK: Patterns

  // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  @inline(__always)
  private func gpt2End(_ start: Int) -> Int {
    if bytes[start] == UInt8(ascii: "'"), let end = contractionEnd(start, ignoresCase: false) { return end }
    let body = bytes[start] == 0x20 && start + 1 < limit ? start + 1 : start
    let (kind, next) = read(body, limit)
    return kind == .space ? spaceEnd(start) : skip(from: next, to: limit) { $0 == kind }
  }

  // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,k}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
  @inline(__always)
  private func modernEnd(_ start: Int, _ maximumDigits: Int) -> Int {
    if bytes[start] == UInt8(ascii: "'"), let end = contractionEnd(start, ignoresCase: true) { return end }
    let (kind, next) = read(start, limit)
    switch kind {
    case .letter:
      return skip(from: next, to: limit) { $0 == .letter }
    case .number:
      return numberEnd(next, maximumDigits - 1)
    case .other, .space:
      if next < limit, !isNewline(bytes[start]) {
        let (second, behind) = read(next, limit)
        if second == .letter { return skip(from: behind, to: limit) { $0 == .letter } }
        if kind == .space, bytes[start] == 0x20, second == .other { return otherEnd(behind) }
      }
      return kind == .other ? otherEnd(next) : newlineEnd(start)
    }
  }

  // MARK: Parts of patterns

  /// `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d`. Without regard to case, `'ſ` (U+017F) is `'s` too: it folds to s.
  private func contractionEnd(_ start: Int, ignoresCase: Bool) -> Int? {
    guard start + 1 < limit else { return nil }
    let first = ignoresCase ? lowercased(bytes[start + 1]) : bytes[start + 1]
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
    default: break
    }
    guard start + 2 < limit else { return nil }
    if ignoresCase, bytes[start + 1] == 0xC5, bytes[start + 2] == 0xBF { return start + 3 }
    let second = ignoresCase ? lowercased(bytes[start + 2]) : bytes[start + 2]
    switch (first, second) {
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
      (UInt8(ascii: "l"), UInt8(ascii: "l")):
      return start + 3
    default: return nil
    }
  }

  private func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }

  /// `\p{N}{1,k}` of which one is behind us.
  private func numberEnd(_ position: Int, _ more: Int) -> Int {
    var end = position
    for _ in 0..<more where end < limit {
      let (kind, next) = read(end, limit)
      if kind != .number { break }
      end = next
    }
    return end
  }

  /// `[^\s\p{L}\p{N}]+[\r\n]*` of which one character is behind us.
  private func otherEnd(_ position: Int) -> Int {
    var end = skip(from: position, to: limit) { $0 == .other }
    while end < limit, isNewline(bytes[end]) { end += 1 }
    return end
  }

  /// `\s*[\r\n]+`: up to the last newline of the run; without one, `\s+(?!\S)|\s+`.
  private func newlineEnd(_ start: Int) -> Int {
    let runEnd = skip(from: start, to: limit) { $0 == .space }
    var end = runEnd
    while end > start, !isNewline(bytes[end - 1]) { end -= 1 }
    return end > start ? end : spaceEnd(start, runEnd)
  }

  private func spaceEnd(_ start: Int) -> Int {
    spaceEnd(start, skip(from: start, to: limit) { $0 == .space })
  }

  /// `\s+(?!\S)|\s+`: the last of several space characters is left for the word that follows.
  private func spaceEnd(_ start: Int, _ runEnd: Int) -> Int {
    if runEnd == limit { return runEnd }
    let last = UTF8Reading.previous(bytes, runEnd)
    return last > start ? last : runEnd
  }

  // MARK: Characters

  private func isNewline(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

  /// The class of the character at `position`, and where the next one starts.
  @inline(__always)
  private func read(_ position: Int, _ limit: Int) -> (CharacterClass, Int) {
    let (scalar, length) = UTF8Reading.scalar(bytes, position)
    return (CharacterClass.of(scalar, classes), position + length)
  }

  /// The first position from `start` on whose character does not satisfy `condition`.
  @inline(__always)
  private func skip(from start: Int, to limit: Int, while condition: (CharacterClass) -> Bool) -> Int {
    var position = start
    while position < limit {
      let (kind, next) = read(position, limit)
      if !condition(kind) { break }
      position = next
    }
    return position
  }
}
