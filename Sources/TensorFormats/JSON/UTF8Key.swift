/// A string as a key that is equal only to the same bytes.
///
/// Swift compares strings by canonical equivalence: `é` as one scalar equals `e` with a combining accent. File formats and vocabularies
/// hold both as different keys, so dictionaries of names that come from files are keyed by this.
package struct UTF8Key: Hashable, Sendable {
  package private(set) var text: String

  package init(_ text: String) {
    self.text = text
    self.text.makeContiguousUTF8()
  }

  package static func == (a: Self, b: Self) -> Bool {
    let left = a.text.utf8
    let right = b.text.utf8
    let isEqual = left.withContiguousStorageIfAvailable { left in
      right.withContiguousStorageIfAvailable { right in left.count == right.count && left.elementsEqual(right) }
    }
    return (isEqual ?? nil) ?? left.elementsEqual(right)
  }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(0xFF as UInt8)
  }
}
