/// The SHA-256 of some content: equal hashes, equal content.
///
/// Written as 64 hexadecimal digits, as `sha256sum` and the Hugging Face hub show it.
public struct ContentHash: Hashable, Sendable, Codable, CustomStringConvertible {
  /// 32 bytes.
  public let bytes: [UInt8]

  /// The hash of bytes in memory.
  public init(of content: [UInt8]) {
    var hasher = ContentHasher()
    hasher.update(content)
    self = hasher.finalized()
  }

  /// The hash of a file, links followed, read from its start to its end. `progress` is called with the bytes done so far.
  /// - Throws: `FileError`; what `progress` throws ends the reading.
  public init(ofFile path: String, progress: (Int) throws -> Void = { _ in }) throws {
    let file = try MappedFile(path: path)
    var hasher = ContentHasher()
    for start in stride(from: 0, to: file.byteCount, by: Self.pieceSize) {
      let range = start..<min(start + Self.pieceSize, file.byteCount)
      file.withBytes(in: range) { hasher.update($0) }
      file.release(range)
      try progress(range.upperBound)
    }
    self = hasher.finalized()
  }

  /// The hashes of two files, read side by side in less time than one after the other. `progress` is called with the bytes of both.
  /// - Throws: as `init(ofFile:)`.
  public static func ofFiles(
    _ path: String, _ other: String, progress: (Int) throws -> Void = { _ in }
  ) throws -> (ContentHash, ContentHash) {
    let (a, b) = (try MappedFile(path: path), try MappedFile(path: other))
    var (first, second) = (ContentHasher(), ContentHasher())
    var done = 0
    for start in stride(from: 0, to: max(a.byteCount, b.byteCount), by: pieceSize) {
      let (x, y) = (a.piece(at: start, pieceSize), b.piece(at: start, pieceSize))
      a.withBytes(in: x) { x in b.withBytes(in: y) { y in ContentHasher.update(&first, x, &second, y) } }
      a.release(x)
      b.release(y)
      done += x.count + y.count
      try progress(done)
    }
    return (first.finalized(), second.finalized())
  }

  /// Nil unless the text is 64 hexadecimal digits.
  public init?(hexadecimal text: String) {
    let digits = text.utf8.compactMap { UInt8(hexadecimalDigit: $0) }
    guard digits.count == 64, text.utf8.count == 64 else { return nil }
    bytes = (0..<32).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
  }

  init(bytes: [UInt8]) { self.bytes = bytes }

  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }

  /// The first twelve digits: enough to tell files apart in a report.
  public var short: String { String(description.prefix(12)) }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let hash = ContentHash(hexadecimal: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is no SHA-256, expected 64 hexadecimal digits")
    }
    self = hash
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  private static let pieceSize = 4 << 20
}

extension MappedFile {
  /// So many bytes, or what is left of them.
  fileprivate func piece(at start: Int, _ size: Int) -> Range<Int> {
    min(start, byteCount)..<min(start + size, byteCount)
  }
}

extension UInt8 {
  fileprivate init?(hexadecimalDigit character: UInt8) {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self = character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self = character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self = character - UInt8(ascii: "A") + 10
    default: return nil
    }
  }
}
