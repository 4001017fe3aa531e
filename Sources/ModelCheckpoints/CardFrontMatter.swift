internal import TensorFormats

/// The YAML at the top of a model card, between two lines of `---`: each top-level key with its lines, unread.
///
/// Enough to hand entries on and to read plain values; no YAML parser.
public struct CardFrontMatter: Sendable {
  /// Keys in order, each with its own line and those indented under it.
  public let entries: [(key: String, lines: [String])]
  /// What follows the front matter.
  public let body: String

  public init(_ card: [UInt8]) {
    let lines = String(decoding: card, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }
    guard lines.first == "---", let end = lines.dropFirst().firstIndex(of: "---") else {
      entries = []
      body = lines.joined(separator: "\n")
      return
    }
    var entries: [(key: String, lines: [String])] = []
    for line in lines[1..<end] {
      if let key = Self.key(of: line) {
        entries.append((key, [String(line)]))
      } else if !entries.isEmpty, line.first != "#" {
        entries[entries.count - 1].lines.append(String(line))
      }
    }
    self.entries = entries
    body = lines[(end + 1)...].joined(separator: "\n")
  }

  /// The lines of a key, ready to stand in another front matter; nil if it is not there.
  public func lines(_ key: String) -> [String]? { entries.first { $0.key == key }?.lines }

  /// The value of a key, or the first of its list; nil if it is not there, or neither.
  public func scalar(_ key: String) -> String? {
    guard let lines = lines(key) else { return nil }
    let own = lines[0].dropFirst(key.count + 1).trimmed
    if !own.isEmpty { return own.first == "[" || own.first == "{" ? nil : own.unquoted }
    guard let item = lines.dropFirst().first?[...].trimmed, item.hasPrefix("- ") else { return nil }
    let value = item.dropFirst(2).trimmed
    // An item that is a mapping is no plain value.
    return value.contains(": ") ? nil : value.unquoted
  }

  // `key: value` or `key:` at the start of a line.
  private static func key(of line: Substring) -> String? {
    guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { return nil }
    let key = line[..<colon]
    let rest = line[line.index(after: colon)...]
    let isPlain = key.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
    }
    return isPlain && (rest.isEmpty || rest.first == " ") && key.first != "-" ? String(key) : nil
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var result = self
    while result.first?.isWhitespace == true { result.removeFirst() }
    while result.last?.isWhitespace == true { result.removeLast() }
    return result
  }

  fileprivate var unquoted: String {
    for quote in ["\"", "'"] where count > 1 && hasPrefix(quote) && hasSuffix(quote) {
      return String(dropFirst().dropLast())
    }
    return String(self)
  }
}
