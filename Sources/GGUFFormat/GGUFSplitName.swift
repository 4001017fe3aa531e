/// The name of one file of a split model: `prefix-00002-of-00005.gguf` is number 1 of 5.
struct GGUFSplitName: Equatable {
  /// Directory and name up to the number.
  let prefix: String
  /// From 0, as the key `split.no`; the name counts from 1.
  let number: Int
  let count: Int

  init(prefix: String, number: Int, count: Int) {
    self.prefix = prefix
    self.number = number
    self.count = count
  }

  /// Takes a path apart; nil if it does not end like the name of a split file.
  init?(path: String) {
    guard path.hasSuffix(".gguf") else { return nil }
    let stem = path.dropLast(5)
    guard let last = stem.lastIndex(of: "-"), let count = Self.number(stem[last...].dropFirst()) else { return nil }
    guard stem[..<last].hasSuffix("-of") else { return nil }
    let rest = stem[..<last].dropLast(3)
    guard let dash = rest.lastIndex(of: "-"), let number = Self.number(rest[dash...].dropFirst()) else { return nil }
    guard number >= 1, number <= count else { return nil }
    self.init(prefix: String(rest[..<dash]), number: number - 1, count: count)
  }

  /// "%s-%05d-of-%05d.gguf"
  var path: String { "\(prefix)-\(Self.digits(number + 1))-of-\(Self.digits(count)).gguf" }

  func sibling(_ number: Int) -> GGUFSplitName { GGUFSplitName(prefix: prefix, number: number, count: count) }

  private static func number(_ text: Substring) -> Int? {
    guard text.utf8.count >= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text)
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.utf8.count)) + text
  }
}
