internal import OrderedCollections
internal import TensorFormats

/// Reads the JSON of a header straight into tensors, without building a JSON value.
///
/// The general parser would spend a tree of values on it, and what a hostile header can make this one allocate stays in
/// proportion to the header's own length.
struct SafetensorsHeaderParser {
  /// A tensor as the header states it, nothing checked but the types.
  struct Tensor {
    var name: String
    var format: ElementFormat
    var shape: [UInt64]
    var begin: UInt64
    var end: UInt64
  }

  private(set) var metadata: OrderedDictionary<String, String> = [:]
  /// Tensors in header order.
  private(set) var tensors: [Tensor] = []
  private(set) var indices: [String: Int] = [:]
  private(set) var warnings = WarningList()
  private var scanner: JSONScanner
  private let bytes: UnsafeRawBufferPointer

  init(bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    scanner = JSONScanner(bytes: bytes)
  }

  mutating func parse() throws(SafetensorsError) {
    // InvalidHeader: the header is UTF-8.
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw SafetensorsError(.invalidHeaderUTF8, "header is not UTF-8")
    }
    guard try nextKind() == .object else {
      throw SafetensorsError(.headerNotAnObject, "header is not a JSON object")
    }
    try open(depth: 0)
    var isFirst = true
    var hasMetadata = false
    while let key = try nextKey(isFirst: isFirst) {
      isFirst = false
      if key == "__metadata__" {
        guard !hasMetadata else { throw SafetensorsError(.duplicateKey, "key '__metadata__' stands twice") }
        hasMetadata = true
        try parseMetadata()
      } else {
        try parseTensor(name: key)
      }
    }
    do { try scanner.finish() } catch { throw Self.refusal(error) }
  }

  private mutating func parseMetadata() throws(SafetensorsError) {
    switch try nextKind() {
    case .null:
      try skipValue(depth: 1)
      warnings.add(.nullMetadata)
      return
    case .object: try open(depth: 1)
    case .array, .string, .number, .bool:
      throw SafetensorsError(.invalidMetadata, "__metadata__ is not an object")
    }
    while let key = try nextKey(isFirst: metadata.isEmpty) {
      guard try nextKind() == .string else {
        throw SafetensorsError(.invalidMetadata, "__metadata__ \(quoted(key)) is not a string")
      }
      guard metadata.updateValue(try string(), forKey: key) == nil else {
        throw SafetensorsError(.duplicateKey, "__metadata__ \(quoted(key)) stands twice")
      }
    }
  }

  // MARK: Tensors

  private mutating func parseTensor(name: String) throws(SafetensorsError) {
    guard indices.updateValue(tensors.count, forKey: name) == nil else {
      throw SafetensorsError(.duplicateTensor, "tensor \(quoted(name)) stands twice")
    }
    if name.isEmpty { warnings.add(.emptyName) }
    if hasControlCharacter(name) { warnings.add(.controlCharacterInName, name) }
    var fields = Fields()
    switch try nextKind() {
    case .object: try parseFields(of: name, into: &fields)
    case .array: try parseElements(of: name, into: &fields)
    case .string, .number, .bool, .null: throw invalid(name, "entry is not an object")
    }
    guard let format = fields.format else { throw missing("dtype", name) }
    guard let shape = fields.shape else { throw missing("shape", name) }
    guard let offsets = fields.offsets else { throw missing("data_offsets", name) }
    tensors.append(Tensor(name: name, format: format, shape: shape, begin: offsets.begin, end: offsets.end))
  }

  private struct Fields {
    var format: ElementFormat?
    var shape: [UInt64]?
    var offsets: (begin: UInt64, end: UInt64)?
  }

  private mutating func parseFields(of name: String, into fields: inout Fields) throws(SafetensorsError) {
    try open(depth: 1)
    var isFirst = true
    while let key = try nextKey(isFirst: isFirst) {
      isFirst = false
      switch key {
      case "dtype":
        guard fields.format == nil else { throw duplicate(key, name) }
        fields.format = try parseFormat(of: name)
      case "shape":
        guard fields.shape == nil else { throw duplicate(key, name) }
        fields.shape = try integers("shape", name, limit: SafetensorsHeader.maximumRank)
      case "data_offsets":
        guard fields.offsets == nil else { throw duplicate(key, name) }
        fields.offsets = try parseOffsets(of: name)
      default:
        warnings.add(.unknownField, name)
        try skipValue(depth: 2)
      }
    }
  }

  /// The form `["F32", [2], [0, 8]]`, which serde accepts for a struct.
  private mutating func parseElements(of name: String, into fields: inout Fields) throws(SafetensorsError) {
    warnings.add(.arrayEntry, name)
    try open(depth: 1)
    guard try nextElement(isFirst: true) else { throw missing("dtype", name) }
    fields.format = try parseFormat(of: name)
    guard try nextElement(isFirst: false) else { throw missing("shape", name) }
    fields.shape = try integers("shape", name, limit: SafetensorsHeader.maximumRank)
    guard try nextElement(isFirst: false) else { throw missing("data_offsets", name) }
    fields.offsets = try parseOffsets(of: name)
    guard try !nextElement(isFirst: false) else { throw invalid(name, "entry has more than three elements") }
  }

  private mutating func parseFormat(of name: String) throws(SafetensorsError) -> ElementFormat {
    guard try nextKind() == .string else { throw invalid(name, "dtype is not a string") }
    let dtype = try string()
    guard let format = ElementFormat(safetensorsDtype: dtype) else {
      throw SafetensorsError(.unknownElementFormat, "tensor \(quoted(name)): unknown dtype \(quoted(dtype))")
    }
    return format
  }

  private mutating func parseOffsets(of name: String) throws(SafetensorsError) -> (begin: UInt64, end: UInt64) {
    let offsets = try integers("data_offsets", name, limit: 2)
    guard offsets.count == 2 else { throw invalid(name, "data_offsets has \(offsets.count) numbers, expected 2") }
    return (offsets[0], offsets[1])
  }

  private mutating func integers(
    _ field: String, _ name: String, limit: Int
  ) throws(SafetensorsError) -> [UInt64] {
    guard try nextKind() == .array else { throw invalid(name, "\(field) is not an array") }
    try open(depth: 2)
    var values: [UInt64] = []
    while try nextElement(isFirst: values.isEmpty) {
      guard values.count < limit else { throw invalid(name, "\(field) has more than \(limit) numbers") }
      guard try nextKind() == .number, let value = try integer() else {
        throw invalid(name, "\(field) holds something other than integers from 0 to 2^64 - 1")
      }
      values.append(value)
    }
    return values
  }

  // MARK: Tokens

  private mutating func nextKind() throws(SafetensorsError) -> JSONScanner.Kind {
    do { return try scanner.nextKind() } catch { throw Self.refusal(error) }
  }

  private mutating func open(depth: Int) throws(SafetensorsError) {
    do { try scanner.open(depth: depth) } catch { throw Self.refusal(error) }
  }

  private mutating func nextKey(isFirst: Bool) throws(SafetensorsError) -> String? {
    do { return try scanner.nextKey(isFirst: isFirst) } catch { throw Self.refusal(error) }
  }

  private mutating func nextElement(isFirst: Bool) throws(SafetensorsError) -> Bool {
    do { return try scanner.nextElement(isFirst: isFirst) } catch { throw Self.refusal(error) }
  }

  private mutating func string() throws(SafetensorsError) -> String {
    do { return try scanner.scanString() } catch { throw Self.refusal(error) }
  }

  private mutating func skipValue(depth: Int) throws(SafetensorsError) {
    do { try scanner.skipValue(depth: depth) } catch { throw Self.refusal(error) }
  }

  /// The value of a number without sign, fraction and exponent that fits 64 bits; nil for any other.
  private mutating func integer() throws(SafetensorsError) -> UInt64? {
    let range: Range<Int>
    do { range = try scanner.scanNumberRange() } catch { throw Self.refusal(error) }
    var value: UInt64 = 0
    for byte in bytes[range] {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let (product, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      if overflows || carries { return nil }
      value = sum
    }
    return value
  }

  private func hasControlCharacter(_ name: String) -> Bool {
    name.utf8.withContiguousStorageIfAvailable { $0.contains { $0 < 0x20 || $0 == 0x7F } } ?? false
  }

  // MARK: Refusals

  private static func refusal(_ error: JSONError) -> SafetensorsError {
    SafetensorsError(.invalidHeaderJSON, "header is not JSON: \(error)")
  }

  private func invalid(_ name: String, _ message: String) -> SafetensorsError {
    SafetensorsError(.invalidField, "tensor \(quoted(name)): \(message)")
  }

  private func missing(_ field: String, _ name: String) -> SafetensorsError {
    SafetensorsError(.missingField, "tensor \(quoted(name)): \(field) is missing")
  }

  private func duplicate(_ field: String, _ name: String) -> SafetensorsError {
    SafetensorsError(.duplicateKey, "tensor \(quoted(name)): \(field) stands twice")
  }
}
