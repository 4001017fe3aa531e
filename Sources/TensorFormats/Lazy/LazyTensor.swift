/// A tensor that states its format and shape at once and gives its data when asked, a panel of rows at a time.
public struct LazyTensor: Sendable {
  public let format: ElementFormat
  /// Sizes from the slowest dimension to the fastest.
  public let shape: [Int]
  public let source: any TensorSource

  /// The shape must have a byte count in the format; it comes from a validated file or from our own plan.
  public init(format: ElementFormat, shape: [Int], source: any TensorSource) {
    let info = TensorInfo(name: "", format: format, shape: shape)
    precondition(info.byteCount != nil, "shape \(shape) does not fill whole blocks of \(format)")
    self.format = format
    self.shape = shape
    self.source = source
  }

  public var rowLength: Int { shape.last ?? 1 }
  public var rowCount: Int { shape.dropLast().reduce(1, *) }
  public var elementCount: Int { rowCount * rowLength }
  /// Bytes of one row. Formats packed below a byte may share bytes between rows; those are only read whole.
  public var rowByteCount: Int { format.byteCount(of: rowLength) ?? byteCount / max(rowCount, 1) }
  public var byteCount: Int { format.byteCount(of: elementCount)! }

  /// Rows of about a mebibyte: the panel in which this tensor is best read.
  public var panelRowCount: Int {
    let multiple = source.rowMultiple
    let rows = (1 << 20) / max(rowByteCount, 1)
    return max(1, min(rowCount, max(rows / multiple, 1) * multiple))
  }

  public func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount)")
    try source.withRows(rows, body)
  }

  /// Calls `body` with each panel of rows in turn.
  public func forEachPanel(_ body: (Range<Int>, UnsafeRawBufferPointer) throws -> Void) throws {
    guard elementCount > 0 else { return }
    for start in stride(from: 0, to: rowCount, by: panelRowCount) {
      let rows = start..<min(start + panelRowCount, rowCount)
      try withRows(rows) { try body(rows, $0) }
    }
  }

  /// Decodes rows to 32-bit floats; `values` holds `rows.count × rowLength`.
  public func decode(rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws {
    precondition(
      values.count == rows.count * rowLength, "buffer of \(values.count) for \(rows.count) rows of \(rowLength)")
    guard let codec = format.codec else { throw TensorError.notDecodable(format) }
    try withRows(rows) { codec.decode($0, into: values) }
  }

  /// All values. For tensors known to be small.
  public func decoded() throws -> [Float] {
    let count = elementCount
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      try decode(rows: 0..<rowCount, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
  }

  /// All encoded bytes. For tensors known to be small.
  public func bytes() throws -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(byteCount)
    try forEachPanel { _, bytes in result.append(contentsOf: bytes) }
    return result
  }
}

/// A tensor that cannot be read as numbers.
public enum TensorError: Error, Equatable, CustomStringConvertible {
  case notDecodable(ElementFormat)
  case notEncodable(ElementFormat)

  public var description: String {
    switch self {
    case .notDecodable(let format): "element format \(format) cannot be decoded yet"
    case .notEncodable(let format): "element format \(format) cannot be written yet"
    }
  }
}
