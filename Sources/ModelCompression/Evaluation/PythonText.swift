// The harness makes its requests with Python's string methods, which work on code points. These give the same texts.

extension String {
  /// `str.strip()`
  var pythonStripped: String {
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.isPythonSpace }),
      let last = scalars.lastIndex(where: { !$0.isPythonSpace })
    else { return "" }
    return String(scalars[first...last])
  }

  /// `str.rstrip()`, and what it takes away.
  var pythonStrippedEnd: (text: String, spaces: String) {
    let scalars = unicodeScalars
    guard let last = scalars.lastIndex(where: { !$0.isPythonSpace }) else { return ("", self) }
    return (String(scalars[...last]), String(scalars[scalars.index(after: last)...]))
  }

  /// `str.capitalize()`: the first in title case, the others in lower case.
  var pythonCapitalized: String {
    let scalars = Array(unicodeScalars)
    return scalars.indices.map { index in
      let properties = scalars[index].properties
      if index == 0 { return properties.titlecaseMapping }
      return scalars[index] == "Σ" && scalars.isFinalSigma(index) ? "ς" : properties.lowercaseMapping
    }.joined()
  }

  /// `str.replace(old, new)`
  func replacingScalars(_ old: String, with new: String) -> String {
    let (scalars, pattern) = (Array(unicodeScalars), Array(old.unicodeScalars))
    var result = UnicodeScalarView()
    var index = 0
    while index < scalars.count {
      if scalars[index...].starts(with: pattern) {
        result.append(contentsOf: new.unicodeScalars)
        index += pattern.count
      } else {
        result.append(scalars[index])
        index += 1
      }
    }
    return String(result)
  }

  /// `re.sub(r"\[.*?\]", "", …)`: without what stands in brackets on one line.
  var withoutBrackets: String {
    var rest = unicodeScalars[...]
    var result = UnicodeScalarView()
    while let open = rest.firstIndex(of: "[") {
      result.append(contentsOf: rest[..<open])
      rest = rest[open...]
      if let end = rest.firstIndex(where: { $0 == "]" || $0 == "\n" }), rest[end] == "]" {
        rest = rest[rest.index(after: end)...]
      } else {
        result.append(rest.removeFirst())
      }
    }
    result.append(contentsOf: rest)
    return String(result)
  }
}

extension Unicode.Scalar {
  /// `str.isspace()`: the separators of information count as space, too.
  fileprivate var isPythonSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}

extension [Unicode.Scalar] {
  /// Whether a capital sigma ends a word (the Unicode Standard, Final_Sigma of SpecialCasing).
  fileprivate func isFinalSigma(_ index: Int) -> Bool {
    let before = self[..<index].last { !$0.properties.isCaseIgnorable }
    let after = self[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && after?.properties.isCased != true
  }
}
