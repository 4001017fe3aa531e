public import OrderedCollections
public import TensorFormats

/// Plans a safetensors file from what is known of its tensors, then writes it in one pass.
///
/// Header and layout are byte for byte those of huggingface/safetensors 0.8: formats from the last of
/// `ElementFormat.safetensorsFormats` to the first, names by their UTF-8 bytes within one, `__metadata__` first, compact JSON,
/// spaces up to a multiple of eight bytes. Metadata keeps the order it is given in (the reference's is random); empty metadata
/// is left out.
public struct SafetensorsWriter: Sendable {
  /// The tensors in the order in which their data is written, with their place in the file.
  public let layout: [SafetensorsEntry]
  /// Length prefix, JSON and padding: everything before the data.
  public let header: [UInt8]
  /// Bytes of the whole file.
  public let fileSize: Int

  /// Lays out a file.
  /// - Throws: `unsupportedFormat`, `validationOverflow`, `misalignedSlice`, `duplicateTensor` or `reservedName` for a tensor
  ///   that the format cannot hold; `headerTooLarge` if the header would pass 100,000,000 bytes.
  public init(
    tensors: [TensorInfo], metadata: OrderedDictionary<String, String> = [:]
  ) throws(SafetensorsError) {
    try self.init(tensors: tensors, metadata: metadata, headerLimit: SafetensorsHeader.maximumByteCount)
  }

  init(
    tensors: [TensorInfo], metadata: OrderedDictionary<String, String>, headerLimit: Int
  ) throws(SafetensorsError) {
    let sorted = try Self.dataOrder(tensors)
    var offsets: [Range<Int>] = []
    var totals = SafetensorsTotals()
    for tensor in sorted {
      let start = totals.bytes
      _ = try totals.add(tensor)
      offsets.append(start..<totals.bytes)
    }
    let header = Self.headerBytes(zip(sorted, offsets), metadata: metadata)
    // HeaderTooLarge: N > 100,000,000, when writing too.
    guard header.count - 8 <= headerLimit else {
      throw SafetensorsError(
        .headerTooLarge, "header would have \(header.count - 8) bytes, at most \(headerLimit) are allowed")
    }
    let (size, overflows) = totals.bytes.addingReportingOverflow(header.count)
    guard !overflows else { throw SafetensorsError(.validationOverflow, "size of the file overflows") }
    layout = zip(sorted, offsets).map { tensor, range in
      SafetensorsEntry(info: tensor, range: range.lowerBound + header.count..<range.upperBound + header.count)
    }
    self.header = header
    fileSize = size
  }

  /// Writes the file; the caller commits `output` afterwards.
  ///
  /// `data` is called once for each tensor, in the order of `layout`, and passes the tensor's bytes on in as many pieces as it
  /// likes, in order.
  /// - Throws: `invalidTensorView` if the pieces of a tensor do not add up to its size, `file` if the system refuses a write,
  ///   and what `data` throws.
  public func write(
    to output: OutputFile,
    data: (_ tensor: TensorInfo, _ write: (UnsafeRawBufferPointer) throws(SafetensorsError) -> Void) throws -> Void
  ) throws {
    try asSafetensorsError { () throws(FileError) in try output.write(header) }
    for entry in layout {
      var missing = entry.range.count
      try data(entry.info) { (bytes: UnsafeRawBufferPointer) throws(SafetensorsError) in
        guard bytes.count <= missing else { throw Self.wrongSize(entry, entry.range.count - missing + bytes.count) }
        missing -= bytes.count
        try asSafetensorsError { () throws(FileError) in try output.write(bytes) }
      }
      guard missing == 0 else { throw Self.wrongSize(entry, entry.range.count - missing) }
    }
  }

  // MARK: Layout

  /// Formats falling, names rising.
  private static func dataOrder(_ tensors: [TensorInfo]) throws(SafetensorsError) -> [TensorInfo] {
    var names: Set<String> = []
    var ranked: [(rank: Int, tensor: TensorInfo)] = []
    for tensor in tensors {
      guard let rank = tensor.format.safetensorsRank else {
        throw SafetensorsError(
          .unsupportedFormat, "tensor \(quoted(tensor.name)): safetensors cannot hold \(tensor.format)")
      }
      guard tensor.name != "__metadata__" else {
        throw SafetensorsError(.reservedName, "a tensor cannot be called '__metadata__'")
      }
      guard names.insert(tensor.name).inserted else {
        throw SafetensorsError(.duplicateTensor, "tensor \(quoted(tensor.name)) is given twice")
      }
      ranked.append((rank, tensor))
    }
    ranked.sort { a, b in
      if a.rank != b.rank { return a.rank > b.rank }
      return a.tensor.name.utf8.lexicographicallyPrecedes(b.tensor.name.utf8)
    }
    return ranked.map(\.tensor)
  }

  private static func headerBytes(
    _ tensors: Zip2Sequence<[TensorInfo], [Range<Int>]>, metadata: OrderedDictionary<String, String>
  ) -> [UInt8] {
    var json: [UInt8] = [UInt8](repeating: 0, count: 8)
    json.append(UInt8(ascii: "{"))
    if !metadata.isEmpty {
      let strings = JSONObject(uniqueKeysWithValues: metadata.elements.map { ($0.key, JSON.string($0.value)) })
      json += JSON.object(["__metadata__": .object(strings)]).serializedBytes().dropFirst().dropLast()
      json.append(UInt8(ascii: ","))
    }
    for (tensor, range) in tensors {
      json += JSON.string(tensor.name).serializedBytes()
      json += #":{"dtype":"\#(tensor.format.name)","shape":["#.utf8
      json += tensor.shape.map(String.init).joined(separator: ",").utf8
      json += #"],"data_offsets":[\#(range.lowerBound),\#(range.upperBound)]},"#.utf8
    }
    if json.last == UInt8(ascii: ",") { json.removeLast() }
    json.append(UInt8(ascii: "}"))
    while json.count % 8 != 0 { json.append(0x20) }
    withUnsafeBytes(of: UInt64(json.count - 8).littleEndian) { json.replaceSubrange(0..<8, with: $0) }
    return json
  }

  private static func wrongSize(_ entry: SafetensorsEntry, _ found: Int) -> SafetensorsError {
    SafetensorsError(
      .invalidTensorView, "tensor \(quoted(entry.name)): expected \(entry.range.count) bytes, found \(found)")
  }
}
