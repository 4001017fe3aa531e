internal import TensorFormats

/// Checks tensors against the data, in the order of their data, as `Metadata::validate` of the reference does.
struct SafetensorsDataChecker {
  let dataOffset: Int
  let fileSize: Int
  private(set) var entries: [SafetensorsEntry] = []
  /// End of the data covered so far, counted from `dataOffset`.
  private var covered: UInt64 = 0

  init(dataOffset: Int, fileSize: Int) {
    self.dataOffset = dataOffset
    self.fileSize = fileSize
  }

  mutating func append(_ tensor: SafetensorsHeaderParser.Tensor) throws(SafetensorsError) {
    // InvalidOffset: a tensor starts where the one before ends, and does not end before it starts.
    guard tensor.begin == covered, tensor.end >= tensor.begin else {
      throw SafetensorsError(
        .invalidOffset,
        "tensor \(quoted(tensor.name)): data_offsets [\(tensor.begin), \(tensor.end)], expected to start at \(covered)")
    }
    let info = TensorInfo(name: tensor.name, format: tensor.format, shape: try shape(of: tensor))
    let bytes = try byteCount(of: info)
    // TensorInvalidInfo: the range has as many bytes as shape and dtype say.
    guard tensor.end - tensor.begin == bytes else {
      throw SafetensorsError(
        .tensorInvalidInfo,
        "tensor \(quoted(tensor.name)): shape needs \(bytes) bytes, range has \(tensor.end - tensor.begin)")
    }
    covered = tensor.end
    // What lies behind the end of the file is reported by `finish`, after the checks of all tensors.
    let available = UInt64(fileSize - dataOffset)
    let lower = dataOffset + Int(min(tensor.begin, available))
    let upper = dataOffset + Int(min(tensor.end, available))
    entries.append(SafetensorsEntry(info: info, range: lower..<upper))
  }

  // MetadataIncompleteBuffer: the last tensor ends at the end of the file.
  func finish() throws(SafetensorsError) {
    let available = UInt64(fileSize - dataOffset)
    guard covered == available else {
      throw SafetensorsError(
        .metadataIncompleteBuffer, "tensors cover \(covered) bytes of data, file has \(available)")
    }
  }

  private func shape(of tensor: SafetensorsHeaderParser.Tensor) throws(SafetensorsError) -> [Int] {
    var shape: [Int] = []
    shape.reserveCapacity(tensor.shape.count)
    for size in tensor.shape {
      guard let size = Int(exactly: size) else {
        throw SafetensorsError(.validationOverflow, "tensor \(quoted(tensor.name)): dimension \(size) is too large")
      }
      shape.append(size)
    }
    return shape
  }

  private func byteCount(of info: TensorInfo) throws(SafetensorsError) -> UInt64 {
    // ValidationOverflow: the number of elements, or of bits, does not fit.
    guard let elements = info.elementCount else { throw overflow(info) }
    let bitsPerElement = UInt64(info.format.blockBytes * 8 / info.format.blockElements)
    let (bits, overflows) = UInt64(elements).multipliedReportingOverflow(by: bitsPerElement)
    if overflows { throw overflow(info) }
    // MisalignedSlice: packed elements end at a whole byte.
    guard bits % 8 == 0 else {
      throw SafetensorsError(
        .misalignedSlice, "tensor \(quoted(info.name)): \(elements) elements of \(info.format) do not fill whole bytes")
    }
    return bits / 8
  }

  private func overflow(_ info: TensorInfo) -> SafetensorsError {
    SafetensorsError(
      .validationOverflow,
      "tensor \(quoted(info.name)): size of \(info.shape.count) dimensions of \(info.format) overflows")
  }
}
