public import OrderedCollections
internal import TensorFormats

/// What a safetensors file says before its data, fully checked: after this, every range lies in the file.
///
/// The format (huggingface/safetensors, README.md and `safetensors/src/tensor.rs`):
/// 1. Eight bytes: N, the length of the header, little-endian.
/// 2. N bytes: a JSON object in UTF-8, at most 100,000,000 bytes, which may be padded with spaces.
///    `{"__metadata__": {string: string}, NAME: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}`
/// 3. The data: little-endian, row-major, offsets counted from byte 8 + N. The tensors cover it exactly, without holes or overlap.
///
/// Where this reader is stricter than the reference:
/// - a tensor name may stand once only (there, the last one wins silently), and so may a key in `__metadata__`. Names that
///   Unicode holds for the same text are the same name, because Swift strings cannot tell them apart;
/// - a dimension, and a product of dimensions on the way, must be below 2⁶³, not 2⁶⁴;
/// - a tensor has at most 64 dimensions;
/// - the dtype must be written as a string (serde also reads `{"F32": null}`).
///
/// It is laxer in one thing: a number in an unknown field is checked for its spelling only, not for fitting a double.
public struct SafetensorsHeader: Sendable {
  /// Longest header that the reference reads or writes.
  public static let maximumByteCount = 100_000_000
  /// Most dimensions of a tensor, as in NumPy 2.
  public static let maximumRank = 64

  /// The strings under `__metadata__`, in file order.
  public let metadata: OrderedDictionary<String, String>
  /// The tensors in the order of their data.
  public let tensors: [SafetensorsEntry]
  /// Where the data begins: 8 + N.
  public let dataOffset: Int
  /// What was accepted but is better avoided, one of a kind.
  public let warnings: [SafetensorsWarning]
  /// Position in `tensors` of each name.
  private let indices: [String: Int]

  /// Reads and checks a header.
  /// - Parameters:
  ///   - bytes: The file from its start; at least the header must be there.
  ///   - fileSize: Bytes of the whole file.
  public init(parsing bytes: UnsafeRawBufferPointer, fileSize: Int) throws(SafetensorsError) {
    let json = try Self.headerRange(bytes, fileSize: fileSize)
    let header = UnsafeRawBufferPointer(rebasing: bytes[json])
    var parser = SafetensorsHeaderParser(bytes: header)
    try parser.parse()
    dataOffset = json.upperBound
    metadata = parser.metadata

    // Data order. Tensors without bytes may share an offset: those keep the order of the header.
    let raw = parser.tensors
    let keys = raw.enumerated().map { ($1.begin, $1.end, $0) }
    let order = keys.sorted { $0 < $1 }.map(\.2)
    var checker = SafetensorsDataChecker(dataOffset: json.upperBound, fileSize: fileSize)
    for index in order { try checker.append(raw[index]) }
    try checker.finish()
    tensors = checker.entries

    if order.elementsEqual(raw.indices) {
      indices = parser.indices
    } else {
      var positions = [Int](repeating: 0, count: order.count)
      for (position, index) in order.enumerated() { positions[index] = position }
      indices = parser.indices.mapValues { positions[$0] }
    }

    var warnings = parser.warnings
    warnings.checkPadding(of: header)
    warnings.checkAlignment(of: checker.entries, dataOffset: dataOffset)
    self.warnings = warnings.warnings
  }

  /// The tensor of this name.
  public subscript(name: String) -> SafetensorsEntry? {
    indices[name].map { tensors[$0] }
  }

  /// Where the JSON lies, checked before anything is read or allocated.
  private static func headerRange(
    _ bytes: UnsafeRawBufferPointer, fileSize: Int
  ) throws(SafetensorsError) -> Range<Int> {
    // HeaderTooSmall: the file has less than eight bytes.
    guard bytes.count >= 8, fileSize >= 8 else {
      throw SafetensorsError(.headerTooSmall, "expected at least 8 bytes, found \(min(bytes.count, fileSize))")
    }
    let declared = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    // HeaderTooLarge: N > 100,000,000.
    guard declared <= maximumByteCount else {
      throw SafetensorsError(
        .headerTooLarge, "header of \(declared) bytes declared, at most \(maximumByteCount) are allowed")
    }
    // InvalidHeaderLength: 8 + N is more than the file has.
    let end = 8 + Int(declared)
    guard end <= fileSize, end <= bytes.count else {
      throw SafetensorsError(
        .invalidHeaderLength, "header of \(declared) bytes declared, \(min(fileSize, bytes.count) - 8) follow")
    }
    return 8..<end
  }
}

extension WarningList {
  fileprivate mutating func checkPadding(of header: UnsafeRawBufferPointer) {
    if header.first != UInt8(ascii: "{") { add(.leadingWhitespace) }
    let padding = header.reversed().prefix { $0 != UInt8(ascii: "}") }
    if padding.contains(where: { $0 != 0x20 }) { add(.unusualPadding) }
  }

  fileprivate mutating func checkAlignment(of entries: [SafetensorsEntry], dataOffset: Int) {
    if dataOffset % 8 != 0, entries.contains(where: { !$0.range.isEmpty }) { add(.unalignedData) }
    for entry in entries where entry.range.lowerBound % entry.info.format.alignment != 0 && !entry.range.isEmpty {
      add(.unalignedTensor, entry.name)
    }
  }
}

extension ElementFormat {
  /// Bytes that a processor would load at once: the element size, one for packed formats. A complex number is two floats.
  fileprivate var alignment: Int {
    if kind == .complex { return blockBytes / 2 }
    return blockElements == 1 ? blockBytes : 1
  }
}
