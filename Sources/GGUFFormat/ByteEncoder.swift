/// Collects the little-endian bytes of a header.
struct ByteEncoder {
  var bytes: [UInt8] = []

  mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(string: some Collection<UInt8>) {
    append(UInt64(string.count))
    bytes.append(contentsOf: string)
  }

  /// Appends the value without its type.
  mutating func append(_ value: GGUFValue) {
    switch value {
    case .uint8(let value): append(value)
    case .int8(let value): append(value)
    case .uint16(let value): append(value)
    case .int16(let value): append(value)
    case .uint32(let value): append(value)
    case .int32(let value): append(value)
    case .uint64(let value): append(value)
    case .int64(let value): append(value)
    case .float32(let value): append(value.bitPattern)
    case .float64(let value): append(value.bitPattern)
    case .bool(let value): append(value ? UInt8(1) : 0)
    case .string(let value): append(string: value.bytes)
    case .array(let value):
      append(value.elementType.rawValue)
      append(UInt64(value.count))
      value.withEncodedBytes { bytes.append(contentsOf: $0) }
    }
  }

  /// Appends zeros up to the next multiple of `alignment`, a power of two.
  mutating func pad(to alignment: Int) {
    let excess = bytes.count & (alignment - 1)
    if excess != 0 { bytes.append(contentsOf: repeatElement(0, count: alignment - excess)) }
  }
}
