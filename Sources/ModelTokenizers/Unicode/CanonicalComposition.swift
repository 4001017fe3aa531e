/// Unicode normalization form C (UAX #15): canonical decomposition, canonical order, canonical composition.
///
/// The standard library normalizes only for comparison, and Foundation is not wanted here. The data that the standard
/// library does not offer is in ``CanonicalCompositionTable``; combining classes are the standard library's.
enum CanonicalComposition {
  /// UTF-8 in form C, or nil if the text surely is in form C already.
  static func normalized(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard needsWork(bytes) else { return nil }
    var scalars: [Unicode.Scalar] = []
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars { decompose(scalar, into: &scalars) }
    sortMarks(&scalars)
    compose(&scalars)
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return Array(String(text).utf8)
  }

  /// Whether a character occurs that may change, or may change its neighbours.
  private static func needsWork(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    return CanonicalCompositionTable.active.withUnsafeBufferPointer { active in
      var position = 0
      while position < bytes.count {
        let (scalar, length) = UTF8Reading.scalar(base, position)
        if scalar >= 0x300, active[Int(scalar) / 64] & (1 << (UInt64(scalar) % 64)) != 0 { return true }
        position += length
      }
      return false
    }
  }

  private static func decompose(_ scalar: Unicode.Scalar, into output: inout [Unicode.Scalar]) {
    let value = scalar.value
    if Hangul.syllables.contains(value) { return Hangul.decompose(value, into: &output) }
    guard value >= 0xC0, let parts = CanonicalCompositionTable.decompositions[value] else {
      output.append(scalar)
      return
    }
    for part in parts { decompose(part, into: &output) }
  }

  /// Puts each run of marks in the order of their combining classes; equal ones keep theirs.
  private static func sortMarks(_ scalars: inout [Unicode.Scalar]) {
    var start = 0
    while start < scalars.count {
      guard combiningClass(scalars[start]) != 0 else {
        start += 1
        continue
      }
      var end = start
      while end < scalars.count, combiningClass(scalars[end]) != 0 { end += 1 }
      // The standard library's sort is stable.
      if end - start > 1 { scalars[start..<end].sort { combiningClass($0) < combiningClass($1) } }
      start = end
    }
  }

  /// Joins each character with the last starter before it unless something between them blocks it.
  private static func compose(_ scalars: inout [Unicode.Scalar]) {
    var output: [Unicode.Scalar] = []
    var starter: Int?
    var lastClass: UInt8 = 0
    for scalar in scalars {
      let own = combiningClass(scalar)
      if let place = starter, output.count == place + 1 || (lastClass != 0 && lastClass < own),
        let composite = composite(output[place], scalar)
      {
        output[place] = composite
        continue
      }
      if own == 0 { starter = output.count }
      lastClass = own
      output.append(scalar)
    }
    scalars = output
  }

  private static func composite(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
    Hangul.composite(first.value, second.value)
      ?? CanonicalCompositionTable.compositions[UInt64(first.value) << 32 | UInt64(second.value)]
  }

  private static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
    scalar.value < 0x300 ? 0 : scalar.properties.canonicalCombiningClass.rawValue
  }
}

/// Hangul syllables compose by arithmetic (The Unicode Standard, §3.12).
private enum Hangul {
  static let syllables: Range<UInt32> = 0xAC00..<0xD7A4
  private static let leading: Range<UInt32> = 0x1100..<0x1113
  private static let vowels: Range<UInt32> = 0x1161..<0x1176
  private static let trailing: Range<UInt32> = 0x11A8..<0x11C3

  static func decompose(_ value: UInt32, into output: inout [Unicode.Scalar]) {
    let index = value - syllables.lowerBound
    output.append(Unicode.Scalar(leading.lowerBound + index / 588)!)
    output.append(Unicode.Scalar(vowels.lowerBound + index % 588 / 28)!)
    if index % 28 != 0 { output.append(Unicode.Scalar(trailing.lowerBound - 1 + index % 28)!) }
  }

  static func composite(_ first: UInt32, _ second: UInt32) -> Unicode.Scalar? {
    if leading.contains(first), vowels.contains(second) {
      let index = (first - leading.lowerBound) * 588 + (second - vowels.lowerBound) * 28
      return Unicode.Scalar(syllables.lowerBound + index)
    }
    if syllables.contains(first), (first - syllables.lowerBound) % 28 == 0, trailing.contains(second) {
      return Unicode.Scalar(first + second - trailing.lowerBound + 1)
    }
    return nil
  }
}
