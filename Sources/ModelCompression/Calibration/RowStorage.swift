internal import ModelCompute
internal import TensorFormats

/// Rows of F32 values that are too many for one place to be sure of: in memory, or in a file.
protocol RowStorage: AnyObject {
  /// Some of the rows; the caller may change them, and then gives them back with `store`.
  func load(_ rows: Range<Int>) throws -> Matrix
  /// Puts rows into place from `start` on.
  func store(_ rows: Matrix, from start: Int) throws
}

final class MemoryRows: RowStorage {
  private let matrix: Matrix

  init(rows: Int, columns: Int) { matrix = .zeros(rows: rows, columns: columns) }

  func load(_ rows: Range<Int>) -> Matrix { matrix.view(rows: rows) }

  func store(_ rows: Matrix, from start: Int) {
    let place = matrix.view(rows: start..<start + rows.rows)
    guard place.values.baseAddress != rows.values.baseAddress else { return }
    _ = place.values.update(fromContentsOf: rows.values)
  }
}

/// Rows in a file, little-endian, one after the other; nothing of it stays in memory.
final class FileRows: RowStorage {
  private let file: ScratchFile
  private let columns: Int
  /// Whether rows are read only once before they are written anew.
  private let forgets: Bool

  init(path: String, columns: Int, forgets: Bool) throws(FileError) {
    file = try ScratchFile(path: path)
    self.columns = columns
    self.forgets = forgets
  }

  func load(_ rows: Range<Int>) throws -> Matrix {
    let matrix = Matrix(rows: rows.count, columns: columns)
    let bytes = rows.lowerBound * columns * 4..<rows.upperBound * columns * 4
    try file.read(into: UnsafeMutableRawBufferPointer(matrix.values), at: bytes.lowerBound)
    if forgets { file.release(bytes) }
    return matrix
  }

  func store(_ rows: Matrix, from start: Int) throws {
    try file.write(UnsafeRawBufferPointer(rows.values), at: start * columns * 4)
  }

  /// Puts everything stored on the disk.
  func synchronize() throws(FileError) { try file.synchronize() }
}
