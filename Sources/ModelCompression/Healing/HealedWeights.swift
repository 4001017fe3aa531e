internal import ModelCompute
internal import TensorFormats

/// Where refitted weights wait until they are written: in memory, or, if there is a folder, in a file without a name in it. F32.
final class HealedWeights {
  private let file: ScratchFile?
  private var byteCount = 0

  init(folder: String?) throws(FileError) {
    file = try folder.map { folder throws(FileError) in try ScratchFile(unnamedIn: folder) }
  }

  /// - Parameter shape: that of the weight; a vector is one row of the matrix.
  func keep(_ values: Matrix, shape: [Int]) throws -> LazyTensor {
    guard let file else { return LazyTensor(values, shape: shape) }
    let tensor = ScratchTensor(file: file, offset: byteCount, rowByteCount: 4 * (shape.last ?? 1))
    try file.write(UnsafeRawBufferPointer(values.values), at: byteCount)
    byteCount += 4 * values.count
    return LazyTensor(format: .f32, shape: shape, source: tensor)
  }
}

/// A tensor in a scratch file.
private struct ScratchTensor: TensorSource {
  let file: ScratchFile
  let offset: Int
  let rowByteCount: Int

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: rows.count * rowByteCount, alignment: 64)
    defer { bytes.deallocate() }
    try file.read(into: bytes, at: offset + rows.lowerBound * rowByteCount)
    try body(UnsafeRawBufferPointer(bytes))
  }
}
