public import TensorFormats

/// A tensor and where its bytes lie in its file.
public struct SafetensorsEntry: Hashable, Sendable {
  public let info: TensorInfo
  /// Bytes from the start of the file.
  public let range: Range<Int>

  public var name: String { info.name }

  init(info: TensorInfo, range: Range<Int>) {
    self.info = info
    self.range = range
  }

  /// The bytes, relative to the start of the tensor, of some slices along its slowest dimension.
  ///
  /// For a matrix `[out, in]`, `rows` counts output channels. A scalar has one row.
  /// - Throws: `sliceOutOfRange`, or `misalignedSlice` if the rows of a packed format do not start and end at whole bytes.
  public func byteRange(ofRows rows: Range<Int>) throws(SafetensorsError) -> Range<Int> {
    let count = info.shape.first ?? 1
    guard rows.lowerBound >= 0, rows.upperBound <= count else {
      throw SafetensorsError(.sliceOutOfRange, "tensor \(quoted(name)): rows \(rows) asked for, it has \(count)")
    }
    guard !range.isEmpty, !rows.isEmpty else { return 0..<0 }
    let rowElements = info.shape.dropFirst().reduce(1, *)
    guard let lower = info.format.byteCount(of: rows.lowerBound * rowElements),
      let upper = info.format.byteCount(of: rows.upperBound * rowElements)
    else {
      throw SafetensorsError(
        .misalignedSlice, "tensor \(quoted(name)): rows \(rows) of \(info.format) do not start and end at whole bytes")
    }
    return lower..<upper
  }
}
