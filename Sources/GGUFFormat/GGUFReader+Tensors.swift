internal import TensorFormats

extension GGUFReader {
  /// A row of the tensor table: what it says and where it says the data starts.
  private struct Row {
    let info: TensorInfo
    let byteCount: Int
    let offset: UInt64
  }

  mutating func readTensors(count: Int) throws(GGUFError) {
    var rows: [Row] = []
    rows.reserveCapacity(count)
    header.indices.reserveCapacity(count)
    for index in 0..<count {
      let name = try readName()
      guard header.indices.updateValue(index, forKey: name) == nil else {
        throw GGUFError(.duplicateTensor, "tensor '\(name)' occurs twice")
      }
      do throws(GGUFError) {
        rows.append(try readRow(name))
      } catch  where error.code == .truncated {
        throw GGUFError(.truncated, "tensor '\(name)': \(error.message)")
      }
    }
    header.dataOffset = decoder.offset
    guard count > 0 else { return }
    try place(rows)
  }

  private mutating func readName() throws(GGUFError) -> String {
    let bytes = try decoder.string()
    try GGUFLayout.check(name: bytes)
    guard let name = String(validating: bytes, as: UTF8.self) else {
      throw GGUFError(.tensorNameEncoding, "tensor name '\(String(decoding: bytes, as: UTF8.self))' is not UTF-8")
    }
    return name
  }

  private mutating func readRow(_ name: String) throws(GGUFError) -> Row {
    let dimensions = try decoder.word(UInt32.self)
    guard dimensions <= GGUFLayout.maximumDimensions else {
      throw GGUFLayout.tooManyDimensions(name, Int(dimensions))
    }
    var shape: [Int] = []
    for _ in 0..<dimensions {
      let size = try decoder.word(Int64.self)
      guard size >= 0 else { throw GGUFError(.dimension, "tensor '\(name)': dimension is \(size)") }
      shape.insert(Int(size), at: 0)
    }
    let info = TensorInfo(name: name, format: try readFormat(name), shape: shape)
    let byteCount = try GGUFLayout.byteCount(of: info)
    return Row(info: info, byteCount: byteCount, offset: try decoder.word())
  }

  private mutating func readFormat(_ name: String) throws(GGUFError) -> ElementFormat {
    let type = try decoder.word(UInt32.self)
    if let format = ElementFormat(ggmlType: type) { return format }
    if let removed = GGMLTypes.removed[type] {
      throw GGUFError(
        .removedElementType, "tensor '\(name)': GGML type \(type) (\(removed)) was removed: convert the model anew")
    }
    throw GGUFError(.elementType, "tensor '\(name)': GGML type \(type) is unknown")
  }

  /// Checks that the tensors follow each other without gaps and that all of them lie inside the file.
  private mutating func place(_ rows: [Row]) throws(GGUFError) {
    var end = 0
    var starts: [Int] = []
    starts.reserveCapacity(rows.count)
    for row in rows {
      // "tensor has offset …, expected …"
      guard row.offset == end else {
        throw GGUFError(.tensorOffset, "tensor '\(row.info.name)': offset \(row.offset), expected \(end)")
      }
      starts.append(end)
      end = try GGUFLayout.end(
        of: row.info.name, from: end, bytes: row.byteCount, alignment: header.alignment)
    }
    // "failed to seek to beginning of data section"
    guard let base = GGUFLayout.padded(decoder.offset, to: header.alignment), base <= decoder.bytes.count else {
      throw GGUFError(.dataMissing, "file ends at byte \(decoder.bytes.count), before its data section begins")
    }
    header.dataOffset = base
    header.tensors.reserveCapacity(rows.count)
    for (row, start) in zip(rows, starts) {
      // The sum of all sizes did not overflow; that the file is long enough makes the additions below safe too.
      guard row.byteCount <= decoder.bytes.count - base, start <= decoder.bytes.count - base - row.byteCount else {
        throw GGUFError(
          .dataTruncated,
          "tensor '\(row.info.name)': \(row.byteCount) bytes at \(start), the file has \(decoder.bytes.count - base)")
      }
      header.tensors.append(GGUFEntry(row.info, base + start..<base + start + row.byteCount))
    }
  }
}
