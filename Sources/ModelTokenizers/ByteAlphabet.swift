/// The printable characters that byte-level tokens are spelled with, one for each byte (GPT-2's `bytes_to_unicode`).
///
/// The bytes 21…7E, A1…AC and AE…FF are their own Latin-1 characters; the other 68 are U+0100 and on, in order.
enum ByteAlphabet {
  /// The scalar of each byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (UInt8.min...UInt8.max).map { byte in
      if isPrintable(byte) { return Unicode.Scalar(byte) }
      defer { next += 1 }
      return Unicode.Scalar(next)!
    }
  }()

  /// The byte of each scalar below U+0144; -1 for the others.
  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = Int16(byte) }
    return bytes
  }()

  /// Appends the bytes that `text` spells; false, with nothing appended, if it has a character outside the alphabet.
  static func appendBytes(spelledBy text: String, to output: inout [UInt8]) -> Bool {
    let start = output.count
    for scalar in text.unicodeScalars {
      guard scalar.value < 0x144, let byte = UInt8(exactly: bytes[Int(scalar.value)]) else {
        output.removeSubrange(start...)
        return false
      }
      output.append(byte)
    }
    return true
  }

  private static func isPrintable(_ byte: UInt8) -> Bool {
    (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
  }
}
