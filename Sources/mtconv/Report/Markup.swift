/// A piece of a page: text that is escaped where it is written, or an element.
///
/// What is made of it is HTML and well-formed XML at once, so names out of files cannot become markup.
indirect enum Markup {
  case text(String)
  case element(String, attributes: [(name: String, value: String)], children: [Markup])
  case group([Markup])

  /// `Markup("p", ["class": "note"], "text")`
  init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ children: Markup...) {
    self.init(name, attributes, children)
  }

  init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ children: [Markup]) {
    self = .element(name, attributes: attributes.map { ($0.key, $0.value) }, children: children)
  }

  /// The piece as it stands in a file.
  var serialized: String {
    var result = ""
    write(to: &result)
    return result
  }

  // Elements that HTML never closes. Everything else is closed by a tag of its own: a browser takes `<p/>` for `<p>`.
  private static let voidNames: Set<String> = ["meta", "br", "hr", "col"]

  private func write(to result: inout String) {
    switch self {
    case .text(let text): result += Self.escaped(text)
    case .group(let children): for child in children { child.write(to: &result) }
    case .element(let name, let attributes, let children):
      result += "<\(name)"
      for (name, value) in attributes { result += " \(name)=\"\(Self.escaped(value))\"" }
      if Self.voidNames.contains(name) {
        result += "/>"
        return
      }
      result += ">"
      for child in children { child.write(to: &result) }
      result += "</\(name)>"
    }
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n": result += "\n"
      default: result.unicodeScalars.append(scalar.isAllowedInMarkup ? scalar : "\u{FFFD}")
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// Characters of XML 1.0, without controls and the marks that reorder what stands around them.
  fileprivate var isAllowedInMarkup: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFFFE...0xFFFF: false
    default: true
    }
  }
}
