/// One step of byte-pair encoding: two neighbouring tokens become one. Its place in the list is its rank; lower goes first.
public struct Merge: Hashable, Sendable {
  public var left: String
  public var right: String

  public init(_ left: String, _ right: String) {
    self.left = left
    self.right = right
  }

  /// A merge as one string, `left right`: the first space that is not the first character parts them.
  init?(spelling: String) {
    let bytes = spelling.utf8
    guard let first = bytes.indices.first,
      let space = bytes[bytes.index(after: first)...].firstIndex(of: UInt8(ascii: " "))
    else { return nil }
    self.init(String(spelling[..<space]), String(spelling[bytes.index(after: space)...]))
    if right.isEmpty { return nil }
  }
}
