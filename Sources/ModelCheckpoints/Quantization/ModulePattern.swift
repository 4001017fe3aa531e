/// Which modules an entry of an ignore list means.
///
/// As compressed-tensors reads them: `re:` and a regular expression that must match from the start of the module's name, or the name
/// itself. `*` stands for anything, as in ModelOpt's lists.
public struct ModulePattern: Sendable {
  private let text: String
  private let kind: Kind

  private enum Kind {
    case name
    case wildcard([Substring])
    case expression
  }

  public init(_ text: String) {
    self.text = text
    if text.hasPrefix("re:") {
      kind = .expression
    } else if text.contains("*") {
      kind = .wildcard(text.split(separator: "*", omittingEmptySubsequences: false))
    } else {
      kind = .name
    }
  }

  /// Whether the entry is one module's name.
  public var isName: Bool { if case .name = kind { true } else { false } }

  /// What is wrong with the entry, a sentence; nil if it can be used.
  public var fault: String? {
    guard case .expression = kind else { return nil }
    do {
      _ = try Regex(text.dropFirst(3).description)
      return nil
    } catch {
      return "'\(text)' is no regular expression"
    }
  }

  /// Whether the module `name`, such as `model.layers.0.mlp.up_proj`, is meant.
  public func matches(_ name: String) -> Bool {
    switch kind {
    case .name: return name == text
    case .expression:
      guard let expression = try? Regex(text.dropFirst(3).description) else { return false }
      return (try? expression.prefixMatch(in: name)) != nil
    case .wildcard(let parts): return Self.matches(name[...], parts[...])
    }
  }

  /// The first part stands at the start, each other at its first place behind the one before, the last at the end.
  private static func matches(_ name: Substring, _ parts: ArraySlice<Substring>) -> Bool {
    guard let first = parts.first, name.hasPrefix(first), let last = parts.last else { return false }
    var rest = name.dropFirst(first.count)
    for part in parts.dropFirst().dropLast() {
      guard let end = endOfFirst(part, in: rest) else { return false }
      rest = rest[end...]
    }
    return rest.hasSuffix(last)
  }

  private static func endOfFirst(_ part: Substring, in text: Substring) -> String.Index? {
    var start = text.startIndex
    while true {
      if text[start...].hasPrefix(part) { return text.index(start, offsetBy: part.count) }
      guard start < text.endIndex else { return nil }
      start = text.index(after: start)
    }
  }
}
