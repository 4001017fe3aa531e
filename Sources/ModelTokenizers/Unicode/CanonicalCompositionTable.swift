/// Which characters decompose canonically into what, and which pairs compose: parsed from ``data`` when first asked for.
enum CanonicalCompositionTable {
  /// What a character decomposes into, one step.
  static let decompositions: [UInt32: [Unicode.Scalar]] = {
    var result: [UInt32: [Unicode.Scalar]] = [:]
    for entry in entries { result[entry.composite.value] = entry.parts }
    return result
  }()

  /// The composite of a pair, first scalar in the upper 32 bits. Excluded compositions are not here.
  static let compositions: [UInt64: Unicode.Scalar] = {
    var result: [UInt64: Unicode.Scalar] = [:]
    for entry in entries where entry.composes {
      result[UInt64(entry.parts[0].value) << 32 | UInt64(entry.parts[1].value)] = entry.composite
    }
    return result
  }()

  /// A bit for each scalar that is not sure to stay as it is: excluded composites, second parts, marks, Hangul jamo.
  static let active: [UInt64] = {
    var bits = [UInt64](repeating: 0, count: 0x110000 / 64)
    func mark(_ value: UInt32) { bits[Int(value) / 64] |= 1 << (UInt64(value) % 64) }
    for entry in entries {
      if entry.composes { mark(entry.parts[1].value) } else { mark(entry.composite.value) }
    }
    for value: UInt32 in 0x1161..<0x11C3 { mark(value) }
    // No character beyond has a combining class.
    for value: UInt32 in 0x300..<0x20000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      if scalar.properties.canonicalCombiningClass != .notReordered { mark(value) }
    }
    return bits
  }()

  private struct Entry {
    let composite: Unicode.Scalar
    let parts: [Unicode.Scalar]
    let composes: Bool
  }

  /// `c=a+b` composes; `c>a+b…` only decomposes.
  private static let entries: [Entry] = CanonicalCompositionData.text.split(whereSeparator: \.isWhitespace).map {
    field in
    let composes = field.contains("=")
    let numbers = field.split { "=>+".contains($0) }.map { Unicode.Scalar(UInt32($0, radix: 16)!)! }
    return Entry(composite: numbers[0], parts: Array(numbers[1...]), composes: composes)
  }
}
