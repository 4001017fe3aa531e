/// Reads values from the bytes of a header, in either byte order, and refuses to go beyond their end.
struct ByteDecoder {
  static let maximumStringLength = 1 << 30
  static let maximumArrayCount = 1 << 30

  let bytes: UnsafeRawBufferPointer
  private(set) var offset = 0
  var isBigEndian = false

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var remaining: Int { bytes.count - offset }

  mutating func word<Word: FixedWidthInteger>(_ type: Word.Type = Word.self) throws(GGUFError) -> Word {
    guard MemoryLayout<Word>.size <= remaining else { throw endOfFile(needing: MemoryLayout<Word>.size) }
    let word = bytes.loadUnaligned(fromByteOffset: offset, as: Word.self)
    offset += MemoryLayout<Word>.size
    return isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word)
  }

  /// The bytes of a length-prefixed string. "string <= 1 GiB and <= bytes left"
  mutating func string() throws(GGUFError) -> UnsafeRawBufferPointer {
    let declared = try word(UInt64.self)
    guard let length = Int(exactly: declared), length <= Self.maximumStringLength else {
      throw GGUFError(.stringLength, "string of \(declared) bytes at byte \(offset - 8), at most 2^30 are allowed")
    }
    return try skip(length)
  }

  /// Passes over `count` bytes and returns them.
  mutating func skip(_ count: Int) throws(GGUFError) -> UnsafeRawBufferPointer {
    guard count <= remaining else { throw endOfFile(needing: count) }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  /// A value of any type but `array`.
  mutating func value(_ type: GGUFValueType) throws(GGUFError) -> GGUFValue {
    switch type {
    case .uint8: .uint8(try word())
    case .int8: .int8(try word())
    case .uint16: .uint16(try word())
    case .int16: .int16(try word())
    case .uint32: .uint32(try word())
    case .int32: .int32(try word())
    case .uint64: .uint64(try word())
    case .int64: .int64(try word())
    case .float32: .float32(Float(bitPattern: try word()))
    case .float64: .float64(Double(bitPattern: try word()))
    case .bool: .bool(try bool())
    case .string: .string(GGUFString(bytes: Array(try string())))
    case .array: preconditionFailure("arrays are read by GGUFReader")
    }
  }

  /// "0 is false and 1 is true; anything else is invalid" (the specification)
  mutating func bool() throws(GGUFError) -> Bool {
    let byte = try word(UInt8.self)
    guard byte <= 1 else { throw GGUFError(.boolValue, "boolean at byte \(offset - 1) is \(byte), expected 0 or 1") }
    return byte == 1
  }

  private func endOfFile(needing count: Int) -> GGUFError {
    GGUFError(.truncated, "file ends early: \(count) bytes needed at byte \(offset), \(remaining) are left")
  }
}
