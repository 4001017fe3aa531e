internal import TensorFormats

/// Adds up tensors, refusing sizes that cannot be.
struct SafetensorsTotals {
  private(set) var bytes = 0
  private(set) var elements = 0

  /// Counts a tensor and returns its bytes.
  mutating func add(_ tensor: TensorInfo) throws(SafetensorsError) -> Int {
    let size = try Self.byteCount(of: tensor)
    let (bytes, overflows) = bytes.addingReportingOverflow(size)
    let (elements, carries) = elements.addingReportingOverflow(tensor.elementCount ?? 0)
    guard !overflows, !carries else {
      throw SafetensorsError(.validationOverflow, "tensor \(quoted(tensor.name)): size of all tensors overflows")
    }
    self.bytes = bytes
    self.elements = elements
    return size
  }

  private static func byteCount(of tensor: TensorInfo) throws(SafetensorsError) -> Int {
    if let bytes = tensor.byteCount { return bytes }
    if let elements = tensor.elementCount, elements % tensor.format.blockElements != 0 {
      throw SafetensorsError(
        .misalignedSlice,
        "tensor \(quoted(tensor.name)): \(elements) elements of \(tensor.format) do not fill whole bytes")
    }
    throw SafetensorsError(
      .validationOverflow, "tensor \(quoted(tensor.name)): size of \(tensor.format) \(tensor.shape) overflows")
  }
}
