public import OrderedCollections
public import TensorFormats

/// Writes one GGUF file: first the plan, then the data, tensor by tensor.
///
/// The result is version 3, little-endian, with the same bytes that gguf-py's `GGUFWriter` gives for the same metadata and
/// tensors. The whole layout is known before any data is, so memory holds the header and one piece of one tensor.
public struct GGUFWriter: Sendable {
  public static let version: UInt32 = 3

  /// The tensors and where their bytes will be, in the order of the plan.
  public let layout: [GGUFEntry]
  /// Bytes of the finished file.
  public let fileSize: Int
  public let alignment: Int
  private let header: [UInt8]

  /// Plans a file, with tensors in this order.
  ///
  /// The alignment is the one of the key `general.alignment`, else 32. Giving `alignment` adds the key at the end of the
  /// metadata. Throws for what `GGUFFile` would refuse, and for element formats that GGUF does not have.
  public init(
    metadata: OrderedDictionary<String, GGUFValue>, tensors: [TensorInfo], alignment: Int? = nil
  ) throws(GGUFError) {
    let (metadata, alignment) = try Self.aligned(metadata, alignment)
    var header = try Self.encode(metadata, tensorCount: tensors.count)
    var offset = 0
    var ranges: [Range<Int>] = []
    for info in tensors {
      let byteCount = try Self.append(info, offset: offset, to: &header)
      let end = try GGUFLayout.end(of: info.name, from: offset, bytes: byteCount, alignment: alignment)
      ranges.append(offset..<offset + byteCount)
      offset = end
    }
    try Self.checkUnique(tensors)
    if !tensors.isEmpty { header.pad(to: alignment) }
    let base = header.bytes.count
    let (fileSize, overflow) = base.addingReportingOverflow(offset)
    guard !overflow else { throw GGUFError(.dataSizeOverflow, "\(offset) bytes of data overflow the file size") }
    self.header = header.bytes
    self.alignment = alignment
    self.fileSize = fileSize
    layout = zip(tensors, ranges).map { GGUFEntry($0, base + $1.lowerBound..<base + $1.upperBound) }
  }

  /// Writes the header, then asks `data` for each tensor in turn; `data` hands the bytes over in as many pieces as it likes.
  ///
  /// Throws `GGUFError` if the pieces do not add up to the tensor's size, `FileError`, and what `data` throws.
  public func write(
    to output: OutputFile, data: (TensorInfo, (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    try output.write(header)
    for entry in layout {
      var written = 0
      try data(entry.info) { piece in
        written += piece.count
        if written <= entry.range.count { try output.write(piece) }
      }
      guard written == entry.range.count else {
        throw GGUFError(
          .tensorData, "tensor '\(entry.name)': \(written) bytes given, expected \(entry.range.count)",
          path: output.path)
      }
      try output.writeZeros((GGUFLayout.padded(written, to: alignment) ?? written) - written)
    }
  }
}

extension GGUFWriter {
  private typealias Metadata = OrderedDictionary<String, GGUFValue>

  /// The metadata with its alignment stated where it is asked for, and the alignment.
  private static func aligned(_ metadata: Metadata, _ asked: Int?) throws(GGUFError) -> (Metadata, Int) {
    let stated = metadata[GGUFReader.alignmentKey]
    let statedAlignment = try stated.map { value throws(GGUFError) in try GGUFReader.alignment(value) }
    guard let asked else { return (metadata, statedAlignment ?? GGUFLayout.defaultAlignment) }
    try GGUFLayout.check(alignment: asked)
    guard let word = UInt32(exactly: asked), statedAlignment == nil || statedAlignment == asked else {
      throw GGUFError(
        .alignmentValue,
        "alignment is \(asked), the key '\(GGUFReader.alignmentKey)' says \(stated?.description ?? "u32")")
    }
    var metadata = metadata
    metadata[GGUFReader.alignmentKey] = .uint32(word)
    return (metadata, asked)
  }

  private static func encode(_ metadata: Metadata, tensorCount: Int) throws(GGUFError) -> ByteEncoder {
    var encoder = ByteEncoder()
    encoder.bytes.append(contentsOf: "GGUF".utf8)
    encoder.append(version)
    encoder.append(UInt64(tensorCount))
    encoder.append(UInt64(metadata.count))
    for (key, value) in metadata {
      try GGUFLayout.check(key: key.utf8)
      try check(value, key: key)
      encoder.append(string: key.utf8)
      encoder.append(value.type.rawValue)
      encoder.append(value)
    }
    return encoder
  }

  private static func check(_ value: GGUFValue, key: String) throws(GGUFError) {
    if let string = value.rawString, string.bytes.count > ByteDecoder.maximumStringLength {
      throw GGUFError(.stringLength, "key '\(key)': string of \(string.bytes.count) bytes, at most 2^30 are allowed")
    }
    if let array = value.array, array.count > ByteDecoder.maximumArrayCount {
      throw GGUFError(.arrayLength, "key '\(key)': array of \(array.count) elements, at most 2^30 are allowed")
    }
  }

  /// Appends a row of the tensor table and returns the size of the tensor.
  private static func append(_ info: TensorInfo, offset: Int, to encoder: inout ByteEncoder) throws(GGUFError) -> Int {
    try GGUFLayout.check(name: info.name.utf8)
    guard let type = info.format.ggmlType else {
      throw GGUFError(.elementType, "tensor '\(info.name)': GGUF has no element format \(info.format)")
    }
    let byteCount = try GGUFLayout.byteCount(of: info)
    encoder.append(string: info.name.utf8)
    encoder.append(UInt32(info.shape.count))
    for size in info.shape.reversed() { encoder.append(UInt64(size)) }
    encoder.append(type)
    encoder.append(UInt64(offset))
    return byteCount
  }

  private static func checkUnique(_ tensors: [TensorInfo]) throws(GGUFError) {
    var names: Set<String> = []
    for info in tensors where !names.insert(info.name).inserted {
      throw GGUFError(.duplicateTensor, "tensor '\(info.name)' occurs twice")
    }
  }
}
