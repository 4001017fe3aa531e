internal import TensorFormats

/// Some columns of a tensor, in some order. Elements of plain formats are moved as bytes; rows of block formats are decoded, cut
/// and encoded again.
struct GatheredColumns: TensorSource {
  let base: LazyTensor
  /// For each column of the result, the column of the base.
  let indices: [Int]
  /// The format of the result: the base's own, unless its blocks cannot be filled.
  let format: ElementFormat

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    if format == base.format, format.blockElements == 1 {
      try withMovedElements(rows, body)
    } else {
      try withEncodedRows(rows, body)
    }
  }

  private func withMovedElements(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let size = format.blockBytes
    let (oldBytes, newBytes) = (base.rowByteCount, indices.count * size)
    try withUnsafeTemporaryAllocation(byteCount: rows.count * newBytes, alignment: 64) { output in
      try base.withRows(rows) { bytes in
        for row in 0..<rows.count {
          let from = bytes.baseAddress! + row * oldBytes
          let to = output.baseAddress! + row * newBytes
          switch size {
          case 1: Self.move(UInt8.self, from, to, indices)
          case 2: Self.move(UInt16.self, from, to, indices)
          case 4: Self.move(UInt32.self, from, to, indices)
          default: Self.move(UInt64.self, from, to, indices)
          }
        }
      }
      try body(UnsafeRawBufferPointer(output))
    }
  }

  private static func move<Element: FixedWidthInteger>(
    _ type: Element.Type, _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ indices: [Int]
  ) {
    let size = MemoryLayout<Element>.size
    for (position, index) in indices.enumerated() {
      to.storeBytes(
        of: from.loadUnaligned(fromByteOffset: index * size, as: Element.self), toByteOffset: position * size,
        as: Element.self)
    }
  }

  private func withEncodedRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let (old, new) = (base.rowLength, indices.count)
    guard let codec = format.codec, let size = format.byteCount(of: rows.count * new) else {
      throw TensorError.notEncodable(format)
    }
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * (old + new)) { values in
      let whole = UnsafeMutableBufferPointer(rebasing: values[..<(rows.count * old)])
      let cut = UnsafeMutableBufferPointer(rebasing: values[(rows.count * old)...])
      try base.decode(rows: rows, into: whole)
      for row in 0..<rows.count {
        for (position, index) in indices.enumerated() { cut[row * new + position] = whole[row * old + index] }
      }
      try withUnsafeTemporaryAllocation(byteCount: size, alignment: 64) { bytes in
        codec.encode(UnsafeBufferPointer(cut), into: bytes)
        try body(UnsafeRawBufferPointer(bytes))
      }
    }
  }
}

extension LazyTensor {
  /// The columns of these indices, in this order. A block format whose blocks they do not fill becomes F16; `name` is for the error
  /// if that cannot hold a value.
  func gatheringColumns(_ indices: [Int], name: String) -> LazyTensor {
    precondition(shape.count > 1, "a vector has elements, not columns")
    let fillsBlocks = indices.count.isMultiple(of: format.blockElements)
    let target = fillsBlocks ? format : .f32
    let cut = LazyTensor(
      format: target, shape: shape.dropLast() + [indices.count],
      source: GatheredColumns(base: self, indices: indices, format: target))
    return fillsBlocks ? cut : cut.converted(to: .f16, name: name)
  }
}
