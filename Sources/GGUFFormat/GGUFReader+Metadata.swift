internal import OrderedCollections
internal import TensorFormats

extension GGUFReader {
  mutating func readMetadata(count: Int) throws(GGUFError) {
    header.metadata.reserveCapacity(count)
    for _ in 0..<count {
      let key = try readKey()
      let value: GGUFValue
      do throws(GGUFError) {
        value = try readValue()
      } catch {
        throw GGUFError(error.code, "key '\(key)': \(error.message)")
      }
      header.metadata[key] = value
    }
  }

  /// "key is empty", "duplicate key"
  private mutating func readKey() throws(GGUFError) -> String {
    let bytes = try decoder.string()
    try GGUFLayout.check(key: bytes)
    guard let key = String(validating: bytes, as: UTF8.self) else {
      throw GGUFError(.keyEncoding, "key '\(String(decoding: bytes, as: UTF8.self))' is not UTF-8")
    }
    guard header.metadata[key] == nil else { throw GGUFError(.duplicateKey, "key '\(key)' occurs twice") }
    return key
  }

  private mutating func readValue() throws(GGUFError) -> GGUFValue {
    let type = try readType()
    guard type == .array else { return try decoder.value(type) }
    let elementType = try readType()
    guard elementType != .array else { throw GGUFError(.nestedArray, "an array of arrays is not supported") }
    let declared = try decoder.word(UInt64.self)
    guard let count = Int(exactly: declared), count <= ByteDecoder.maximumArrayCount else {
      throw GGUFError(.arrayLength, "array of \(declared) elements, at most 2^30 are allowed")
    }
    return .array(try readArray(of: elementType, count: count))
  }

  private mutating func readType() throws(GGUFError) -> GGUFValueType {
    let raw = try decoder.word(UInt32.self)
    guard let type = GGUFValueType(rawValue: raw) else {
      throw GGUFError(.valueType, "value type is \(raw), expected 0 to \(GGUFValueType.allCases.count - 1)")
    }
    return type
  }

  /// Passes over the elements, checking that they fit into the bytes left, and keeps only where they are.
  private mutating func readArray(of type: GGUFValueType, count: Int) throws(GGUFError) -> GGUFArray {
    let start = decoder.offset
    if let size = type.byteCount {
      let elements = try decoder.skip(count * size)  // count <= 2^30
      if type == .bool, let bad = elements.first(where: { $0 > 1 }) {
        throw GGUFError(.boolValue, "a boolean of the array is \(bad), expected 0 or 1")
      }
    } else {
      for _ in 0..<count { _ = try decoder.string() }
    }
    let range = start..<decoder.offset
    guard decoder.isBigEndian else {
      return GGUFArray(elementType: type, count: count, validated: range, of: file)
    }
    return GGUFArray(elementType: type, count: count, validated: swapped(range, type))
  }

  /// A little-endian copy of validated elements.
  private func swapped(_ range: Range<Int>, _ type: GGUFValueType) -> [UInt8] {
    var bytes = Array(decoder.bytes[range])
    guard type == .string else {
      let size = type.byteCount ?? 1
      for start in stride(from: 0, to: bytes.count, by: size) where size > 1 { bytes[start..<start + size].reverse() }
      return bytes
    }
    var offset = 0
    while offset < bytes.count {
      let length = decoder.bytes.loadUnaligned(fromByteOffset: range.lowerBound + offset, as: UInt64.self)
      bytes[offset..<offset + 8].reverse()
      offset += 8 + Int(UInt64(bigEndian: length))
    }
    return bytes
  }
}
