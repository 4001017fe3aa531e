// Encoding: arrays from Swift values. The element type of the file is the type of the values.
extension GGUFArray {
  public init(_ values: [UInt8]) { self.init(.uint8, values) }
  public init(_ values: [Int8]) { self.init(.int8, values) }
  public init(_ values: [UInt16]) { self.init(.uint16, values) }
  public init(_ values: [Int16]) { self.init(.int16, values) }
  public init(_ values: [UInt32]) { self.init(.uint32, values) }
  public init(_ values: [Int32]) { self.init(.int32, values) }
  public init(_ values: [UInt64]) { self.init(.uint64, values) }
  public init(_ values: [Int64]) { self.init(.int64, values) }
  public init(_ values: [Float]) { self.init(.float32, values.map(\.bitPattern)) }
  public init(_ values: [Double]) { self.init(.float64, values.map(\.bitPattern)) }
  public init(_ values: [Bool]) { self.init(.bool, values.map { $0 ? UInt8(1) : 0 }) }

  public init(_ strings: [String]) {
    var encoder = ByteEncoder()
    for text in strings { encoder.append(string: text.utf8) }
    self.init(elementType: .string, count: strings.count, validated: encoder.bytes)
  }

  public init(_ strings: [GGUFString]) {
    var encoder = ByteEncoder()
    for string in strings { encoder.append(string: string.bytes) }
    self.init(elementType: .string, count: strings.count, validated: encoder.bytes)
  }

  private init<Value: FixedWidthInteger>(_ type: GGUFValueType, _ values: [Value]) {
    var encoder = ByteEncoder()
    encoder.bytes.reserveCapacity(values.count * MemoryLayout<Value>.size)
    for value in values { encoder.append(value) }
    self.init(elementType: type, count: values.count, validated: encoder.bytes)
  }
}

// Decoding.
extension GGUFArray {
  /// The texts; nil if the elements are not strings or one is not UTF-8.
  public var strings: [String]? {
    guard elementType == .string else { return nil }
    var texts: [String] = []
    texts.reserveCapacity(count)
    var isText = true
    forEachString { bytes in
      guard isText, let text = String(validating: bytes, as: UTF8.self) else {
        isText = false
        return
      }
      texts.append(text)
    }
    return isText ? texts : nil
  }

  /// The strings byte for byte; nil if the elements are not strings.
  public var rawStrings: [GGUFString]? {
    guard elementType == .string else { return nil }
    var strings: [GGUFString] = []
    strings.reserveCapacity(count)
    forEachString { strings.append(GGUFString(bytes: Array($0))) }
    return strings
  }

  /// Calls `body` with the bytes of each string, in order and without copying them. Not for other element types.
  public func forEachString(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    precondition(elementType == .string, "forEachString needs an array of strings")
    try withEncodedBytes { bytes in
      var offset = 0
      for _ in 0..<count {
        let length = Int(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        offset += 8
        try body(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
        offset += length
      }
    }
  }

  /// The numbers; nil if the elements are not integers or one does not fit.
  public var ints: [Int]? {
    switch elementType {
    case .uint8: integers(UInt8.self)
    case .int8: integers(Int8.self)
    case .uint16: integers(UInt16.self)
    case .int16: integers(Int16.self)
    case .uint32: integers(UInt32.self)
    case .int32: integers(Int32.self)
    case .uint64: integers(UInt64.self)
    case .int64: integers(Int64.self)
    case .float32, .float64, .bool, .string, .array: nil
    }
  }

  /// The numbers; nil if the elements are not 32-bit floats.
  public var floats: [Float]? {
    elementType == .float32 ? words(UInt32.self).map(Float.init(bitPattern:)) : nil
  }

  /// The numbers; nil if the elements are not floats.
  public var doubles: [Double]? {
    elementType == .float64 ? words(UInt64.self).map(Double.init(bitPattern:)) : floats?.map(Double.init)
  }

  public var bools: [Bool]? { elementType == .bool ? words(UInt8.self).map { $0 != 0 } : nil }

  /// The first `length` elements (all, if there are fewer) as values, for display.
  public func prefix(_ length: Int) -> [GGUFValue] {
    let length = min(max(length, 0), count)
    return withEncodedBytes { bytes in
      var decoder = ByteDecoder(bytes)
      return (0..<length).map { _ in
        guard let value = try? decoder.value(elementType) else {
          preconditionFailure("array was not validated")
        }
        return value
      }
    }
  }

  private func integers<Word: FixedWidthInteger>(_ type: Word.Type) -> [Int]? {
    let all = words(type)
    let fitting = all.compactMap { Int(exactly: $0) }
    return fitting.count == all.count ? fitting : nil
  }

  private func words<Word: FixedWidthInteger>(_ type: Word.Type) -> [Word] {
    withEncodedBytes { bytes in
      (0..<count).map { index in
        Word(littleEndian: bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
      }
    }
  }
}
