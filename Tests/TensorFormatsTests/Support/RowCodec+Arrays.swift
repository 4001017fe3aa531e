import TensorFormats

extension RowCodec {
  func decoded(_ bytes: [UInt8]) -> [Float] {
    let count = bytes.count / format.blockBytes * format.blockElements
    var values = [Float](repeating: .nan, count: count)
    bytes.withUnsafeBytes { source in values.withUnsafeMutableBufferPointer { decode(source, into: $0) } }
    return values
  }

  func encoded(_ values: [Float]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xA5, count: format.byteCount(of: values.count)!)
    values.withUnsafeBufferPointer { source in bytes.withUnsafeMutableBytes { encode(source, into: $0) } }
    return bytes
  }
}

func littleEndianBytes<Element: FixedWidthInteger>(_ elements: [Element]) -> [UInt8] {
  elements.map(\.littleEndian).withUnsafeBytes { Array($0) }
}

func elements<Element: FixedWidthInteger>(_ bytes: [UInt8], of type: Element.Type) -> [Element] {
  let size = MemoryLayout<Element>.size
  return bytes.withUnsafeBytes { raw in
    stride(from: 0, to: raw.count, by: size).map { raw.loadUnaligned(fromByteOffset: $0, as: Element.self) }
  }
}
