internal import OrderedCollections
internal import TensorFormats

/// Reads and validates a header; the checks are those of GGML's reader, in its order.
struct GGUFReader {
  struct Header {
    var version: UInt32 = 0
    var isBigEndian = false
    var alignment = GGUFLayout.defaultAlignment
    var metadata: OrderedDictionary<String, GGUFValue> = [:]
    var tensors: [GGUFEntry] = []
    var indices: [String: Int] = [:]
    var dataOffset = 0
  }

  static let alignmentKey = "general.alignment"

  var header = Header()
  var decoder: ByteDecoder
  let file: MappedFile

  static func read(_ bytes: UnsafeRawBufferPointer, of file: MappedFile) throws(GGUFError) -> Header {
    var reader = GGUFReader(decoder: ByteDecoder(bytes), file: file)
    let counts = try reader.readCounts()
    try reader.readMetadata(count: counts.keyValues)
    try reader.readAlignment()
    try reader.readTensors(count: counts.tensors)
    return reader.header
  }

  private init(decoder: ByteDecoder, file: MappedFile) {
    self.decoder = decoder
    self.file = file
  }

  private mutating func readCounts() throws(GGUFError) -> (tensors: Int, keyValues: Int) {
    let magic = try decoder.skip(min(4, decoder.remaining))
    guard magic.elementsEqual("GGUF".utf8) else {
      throw GGUFError(.magic, "not a GGUF file: the first bytes are \(Array(magic)), expected 'GGUF'")
    }
    try readVersion()
    let tensors = try decoder.word(UInt64.self)
    let keyValues = try decoder.word(UInt64.self)
    // The smallest entry has an empty name and no dimensions, the smallest pair a key of one byte and a value of one.
    return (
      try checked(tensors, .tensorCount, "tensors", minimumSize: 8 + 4 + 4 + 8),
      try checked(keyValues, .keyValueCount, "key-value pairs", minimumSize: 8 + 1 + 4 + 1)
    )
  }

  /// "bad version: 0; version & 0xFFFF == 0: other byte order; version 1 is no longer supported; newer than 3"
  private mutating func readVersion() throws(GGUFError) {
    var version = try decoder.word(UInt32.self)
    if version != 0, version & 0xFFFF == 0 {
      decoder.isBigEndian = true
      version = version.byteSwapped
    }
    guard version != 1 else { throw GGUFError(.version1, "version is 1, expected 2 or 3: convert the model anew") }
    guard version == 2 || version == 3 else { throw GGUFError(.version, "version is \(version), expected 2 or 3") }
    header.version = version
    header.isBigEndian = decoder.isBigEndian
  }

  private func checked(
    _ count: UInt64, _ code: GGUFError.Code, _ noun: String, minimumSize: Int
  ) throws(GGUFError) -> Int {
    guard count <= decoder.remaining / minimumSize else {
      throw GGUFError(code, "\(count) \(noun) declared, but only \(decoder.remaining) bytes are left")
    }
    return Int(count)
  }

  /// "general.alignment must be of type u32", "is not a power of 2"
  private mutating func readAlignment() throws(GGUFError) {
    guard let value = header.metadata[Self.alignmentKey] else { return }
    header.alignment = try Self.alignment(value)
  }

  static func alignment(_ value: GGUFValue) throws(GGUFError) -> Int {
    guard case .uint32(let alignment) = value else {
      throw GGUFError(.alignmentType, "key '\(alignmentKey)' is \(value.type), expected u32")
    }
    try GGUFLayout.check(alignment: Int(alignment))
    return Int(alignment)
  }
}
