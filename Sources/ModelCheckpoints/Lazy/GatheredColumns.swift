internal import TensorFormats

/// Some columns of a tensor, in some order. Elements of plain formats are moved as bytes, and so are blocks that stay whole; other
/// blocks are decoded, cut and encoded again.
struct GatheredColumns: TensorSource {
  let base: LazyTensor
  /// For each column of the result, the column of the base.
  let indices: [Int]
  /// The format of the result: the base's own, unless its blocks cannot be filled.
  let format: ElementFormat
  /// For each block of a row of the result, the block of the base that it is, if it is one.
  private let wholeBlocks: [Int?]

  init(base: LazyTensor, indices: [Int], format: ElementFormat) {
    self.base = base
    self.indices = indices
    self.format = format
    let size = format.blockElements
    guard format == base.format, size > 1, base.rowLength.isMultiple(of: size) else {
      wholeBlocks = []
      return
    }
    wholeBlocks = stride(from: 0, to: indices.count, by: size).map { start in
      let first = indices[start]
      let isWhole = first.isMultiple(of: size) && (0..<size).allSatisfy { indices[start + $0] == first + $0 }
      return isWhole ? first / size : nil
    }
  }

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    if format == base.format, format.blockElements == 1 {
      try withMovedElements(rows, body)
    } else if !wholeBlocks.isEmpty, wholeBlocks.allSatisfy({ $0 != nil }) {
      let size = wholeBlocks.count * format.blockBytes
      try withUnsafeTemporaryAllocation(byteCount: rows.count * size, alignment: 64) { output in
        try moveWholeBlocks(rows, to: output)
        try body(UnsafeRawBufferPointer(output))
      }
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
        // Encoding again would change even the blocks that stay as they are.
        if wholeBlocks.contains(where: { $0 != nil }) { try moveWholeBlocks(rows, to: bytes) }
        try body(UnsafeRawBufferPointer(bytes))
      }
    }
  }

  private func moveWholeBlocks(_ rows: Range<Int>, to output: UnsafeMutableRawBufferPointer) throws {
    let size = format.blockBytes
    let (oldBytes, newBytes) = (base.rowByteCount, wholeBlocks.count * size)
    try base.withRows(rows) { bytes in
      for row in 0..<rows.count {
        for (position, block) in wholeBlocks.enumerated() {
          guard let block else { continue }
          (output.baseAddress! + row * newBytes + position * size)
            .copyMemory(from: bytes.baseAddress! + row * oldBytes + block * size, byteCount: size)
        }
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
