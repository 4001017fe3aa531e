/// What becomes of two neighbouring tokens: rank and result by the pair of ids, in an open-addressing table.
struct MergeTable: Sendable {
  /// No merge.
  static let none = UInt64.max

  /// Rank in the upper 32 bits, resulting id in the lower.
  private var values: [UInt64]
  /// Left id in the upper 32 bits, right id in the lower; all ones is free. At most half full.
  private var keys: [UInt64]
  private let shift: UInt64

  init(capacity count: Int) {
    var bits: UInt64 = 4
    while 1 << bits < 2 * count { bits += 1 }
    shift = 64 - bits
    keys = [UInt64](repeating: .max, count: 1 << bits)
    values = [UInt64](repeating: Self.none, count: 1 << bits)
  }

  /// Sets the merge of a pair. A pair that stands twice in a file has the rank of its last place, as `tokenizers` has it.
  mutating func insert(left: Int, right: Int, rank: Int, result: Int) {
    let key = UInt64(left) << 32 | UInt64(right)
    let slot = slot(of: key)
    keys[slot] = key
    values[slot] = UInt64(rank) << 32 | UInt64(result)
  }

  /// Rank and result of a pair, or ``none``, which is larger than any.
  @inline(__always)
  func value(_ left: UInt32, _ right: UInt32) -> UInt64 {
    values[slot(of: UInt64(left) << 32 | UInt64(right))]
  }

  @inline(__always)
  private func slot(of key: UInt64) -> Int {
    let mask = keys.count - 1
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while keys[slot] != key, keys[slot] != .max { slot = (slot + 1) & mask }
    return slot
  }
}
