/// The name, element format and shape of a tensor: everything that is known without reading its data.
public struct TensorInfo: Hashable, Sendable {
  public let name: String
  public let format: ElementFormat
  /// Sizes from the slowest dimension to the fastest (row-major, as in safetensors and PyTorch).
  public let shape: [Int]

  public init(name: String, format: ElementFormat, shape: [Int]) {
    self.name = name
    self.format = format
    self.shape = shape
  }

  /// Number of elements; nil on overflow or for a negative dimension. A scalar (empty shape) has one.
  public var elementCount: Int? {
    var count = 1
    for size in shape {
      guard size >= 0 else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      count = product
    }
    return count
  }

  /// Bytes of the data; nil if the size overflows or the elements do not fill whole blocks.
  ///
  /// Formats that pack several elements in a block pack along the fastest dimension, so block formats need whole blocks a row.
  public var byteCount: Int? {
    guard let elements = elementCount else { return nil }
    if format.kind == .quantizedBlock, rowLength % format.blockElements != 0 { return nil }
    return format.byteCount(of: elements)
  }

  /// Elements of one row, the fastest dimension; 1 for a scalar.
  public var rowLength: Int { shape.last ?? 1 }

  /// Number of rows: the product of all dimensions but the fastest. One for a vector or scalar.
  public var rowCount: Int { shape.dropLast().reduce(1, *) }
}
