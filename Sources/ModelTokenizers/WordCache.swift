/// Remembers where in the text a word stood before, and where in the ids its tokens are: nothing is copied.
///
/// Lives for one piece of text. A slot holds the last word of its hash.
struct WordCache {
  private struct Entry {
    var start: UInt32
    var count: UInt32
    var firstID: UInt32
    var idCount: UInt32
  }

  /// Texts shorter than this repeat too little to be worth a table.
  private static let minimumText = 256
  private static let maximumSlots = 1 << 14

  private var entries: [Entry] = []
  private var slot = 0
  private var pending = Entry(start: 0, count: 0, firstID: 0, idCount: 0)

  init(textCount: Int) {
    // Positions are kept in 32 bits.
    guard textCount >= Self.minimumText, textCount <= Int32.max else { return }
    var size = 64
    while size < Self.maximumSlots, size < textCount / 8 { size *= 2 }
    entries = [Entry](repeating: pending, count: size)
  }

  /// Appends the ids of a word that is known; else remembers the word for ``insert(_:)``.
  @inline(__always)
  mutating func append(
    _ word: UnsafeBufferPointer<UInt8>, at start: Int, of text: UnsafeBufferPointer<UInt8>, to ids: inout [Int]
  ) -> Bool {
    if entries.isEmpty { return false }
    slot = Int(truncatingIfNeeded: ByteHash.hash(word)) & (entries.count - 1)
    let entry = entries[slot]
    if Int(entry.count) == word.count, isEqual(word, text, Int(entry.start)) {
      let first = Int(entry.firstID)
      for index in first..<(first + Int(entry.idCount)) { ids.append(ids[index]) }
      return true
    }
    pending.start = UInt32(truncatingIfNeeded: start)
    pending.count = UInt32(truncatingIfNeeded: word.count)
    return false
  }

  /// Remembers the ids of the word that ``append(_:at:of:to:)`` did not know.
  @inline(__always)
  mutating func insert(_ ids: Range<Int>) {
    if entries.isEmpty || ids.upperBound > Int32.max { return }
    pending.firstID = UInt32(truncatingIfNeeded: ids.lowerBound)
    pending.idCount = UInt32(truncatingIfNeeded: ids.count)
    entries[slot] = pending
  }

  @inline(__always)
  private func isEqual(_ word: UnsafeBufferPointer<UInt8>, _ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
    var index = 0
    while index < word.count {
      if word[index] != text[start + index] { return false }
      index += 1
    }
    return true
  }
}
