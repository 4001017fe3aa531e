internal import HeapModule

/// Joins the bytes of a word to tokens: always the neighbours whose merge has the lowest rank, the leftmost of equal ones.
struct BytePairEncoder: Sendable {
  /// Words of up to this many bytes are searched from end to end for each merge; longer ones keep a heap.
  private static let scanLimit = 48
  private static let missing = UInt32.max

  let merges: MergeTable
  /// The token of each byte; `missing` where it is not in the vocabulary, and then the byte vanishes.
  private let byteTokens: [UInt32]

  init(merges: MergeTable, byteTokens: [Int?]) {
    self.merges = merges
    self.byteTokens = byteTokens.map { $0.map { UInt32($0) } ?? Self.missing }
  }

  /// Appends the tokens of one word.
  func encode(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int]) {
    if word.count > Self.scanLimit { return encodeLong(word, into: &ids) }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.scanLimit) { symbols in
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.scanLimit) { values in
        var count = 0
        for byte in word where byteTokens[Int(byte)] != Self.missing {
          symbols[count] = byteTokens[Int(byte)]
          count += 1
        }
        count = merge(symbols, values, count)
        for index in 0..<count { ids.append(Int(symbols[index])) }
      }
    }
  }

  /// Merges `symbols[..<count]` in place and returns how many are left. `values` is room for as many.
  @inline(__always)
  private func merge(
    _ symbols: UnsafeMutableBufferPointer<UInt32>, _ values: UnsafeMutableBufferPointer<UInt64>, _ start: Int
  ) -> Int {
    var count = start
    // values[i] is the merge of symbols i and i + 1.
    for index in 0..<max(count - 1, 0) { values[index] = merges.value(symbols[index], symbols[index + 1]) }
    while count > 1 {
      var best = MergeTable.none
      var place = 0
      for index in 0..<(count - 1) where values[index] < best {
        best = values[index]
        place = index
      }
      if best == MergeTable.none { break }
      symbols[place] = UInt32(truncatingIfNeeded: best)
      count -= 1
      for index in (place + 1)..<max(count, place + 1) { symbols[index] = symbols[index + 1] }
      for index in (place + 1)..<max(count - 1, place + 1) { values[index] = values[index + 1] }
      if place > 0 { values[place - 1] = merges.value(symbols[place - 1], symbols[place]) }
      if place + 1 < count { values[place] = merges.value(symbols[place], symbols[place + 1]) }
    }
    return count
  }

  // MARK: Long words

  /// The same with a heap of candidate merges and linked symbols: n log n where the scan would be n².
  private func encodeLong(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int]) {
    var symbols: [UInt32] = word.map { byteTokens[Int($0)] }.filter { $0 != Self.missing }
    let count = symbols.count
    var next = Array(1..<(count + 1))
    var previous = Array(-1..<(count - 1))
    var heap = Heap<Candidate>()
    func consider(_ position: Int) {
      guard position >= 0, next[position] < count else { return }
      let value = merges.value(symbols[position], symbols[next[position]])
      if value != MergeTable.none { heap.insert(Candidate(value: value, position: position)) }
    }
    for position in 0..<count { consider(position) }
    while let best = heap.popMin() {
      let position = best.position
      let right = next[position]
      // A candidate is stale if one of its symbols was merged with another since.
      guard symbols[position] != Self.missing, right < count,
        merges.value(symbols[position], symbols[right]) == best.value
      else { continue }
      symbols[position] = UInt32(truncatingIfNeeded: best.value)
      symbols[right] = Self.missing
      next[position] = next[right]
      if next[position] < count { previous[next[position]] = position }
      consider(previous[position])
      consider(position)
    }
    for symbol in symbols where symbol != Self.missing { ids.append(Int(symbol)) }
  }

  private struct Candidate: Comparable {
    let value: UInt64
    let position: Int

    static func < (a: Self, b: Self) -> Bool { (a.value, a.position) < (b.value, b.position) }
  }
}
