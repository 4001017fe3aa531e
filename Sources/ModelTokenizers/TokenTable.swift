/// Byte strings by number and numbers by byte string: the vocabulary in one slab with an open-addressing index.
struct TokenTable: Sendable {
  /// The bytes of all tokens, end to end.
  private var slab: [UInt8] = []
  /// Token `i` is `slab[offsets[i]..<offsets[i + 1]]`.
  private var offsets: [Int] = [0]
  /// By hash: the upper half of the hash, and below it the token number plus 1; 0 is free. At most half full.
  private var slots: [UInt64]

  /// A table for `count` tokens; all of them may be indexed.
  init(capacity count: Int) {
    var size = 16
    while size < 2 * count { size *= 2 }
    slots = [UInt64](repeating: 0, count: size)
    offsets.reserveCapacity(count + 1)
    slab.reserveCapacity(8 * count)
  }

  var count: Int { offsets.count - 1 }

  subscript(id: Int) -> ArraySlice<UInt8> { slab[offsets[id]..<offsets[id + 1]] }

  /// Adds the next token. Returns false if it is to be indexed and another token has the same bytes.
  mutating func append(_ bytes: [UInt8], isIndexed: Bool) -> Bool {
    let id = count
    slab.append(contentsOf: bytes)
    offsets.append(slab.count)
    guard isIndexed else { return true }
    let (slot, tag) = bytes.withUnsafeBufferPointer { find($0) }
    guard slots[slot] == 0 else { return false }
    slots[slot] = tag | UInt64(id + 1)
    return true
  }

  /// The indexed token with these bytes.
  func id(of bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    let number = slots[find(bytes).slot] & 0xFFFF_FFFF
    return number == 0 ? nil : Int(number) - 1
  }

  func id(of bytes: [UInt8]) -> Int? { bytes.withUnsafeBufferPointer { id(of: $0) } }

  /// The slot that holds these bytes, or the free one where they belong; and the upper half of their hash.
  private func find(_ bytes: UnsafeBufferPointer<UInt8>) -> (slot: Int, tag: UInt64) {
    let hash = ByteHash.hash(bytes)
    let tag = hash & 0xFFFF_FFFF_0000_0000
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let entry = slots[slot]
      if entry & 0xFFFF_FFFF_0000_0000 == tag, isEqual(Int(entry & 0xFFFF_FFFF) - 1, bytes) { break }
      slot = (slot + 1) & mask
    }
    return (slot, tag)
  }

  private func isEqual(_ id: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = offsets[id]
    guard offsets[id + 1] - start == bytes.count else { return false }
    return slab.withUnsafeBufferPointer { slab in
      (0..<bytes.count).allSatisfy { slab[start + $0] == bytes[$0] }
    }
  }
}

/// A fast hash for short byte strings. Not for untrusted keys where collisions could be sought: probes stay bounded by the
/// table, and a vocabulary is fixed.
enum ByteHash {
  @inline(__always)
  static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    let raw = UnsafeRawBufferPointer(bytes)
    var state = UInt64(truncatingIfNeeded: bytes.count) &* 0x9E37_79B9_7F4A_7C15
    var position = 0
    while position + 8 <= raw.count {
      state = mix(state, raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    var tail: UInt64 = 0
    while position < raw.count {
      tail = tail << 8 | UInt64(raw[position])
      position += 1
    }
    state = mix(state, tail)
    return state ^ state >> 32
  }

  @inline(__always)
  private static func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
    let product = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    return product.high ^ product.low
  }
}
