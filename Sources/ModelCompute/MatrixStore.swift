public import TensorFormats

/// Where matrices wait until they are read again: in memory up to a limit, above it in a file without a name.
///
/// A run that looks at what all tokens of a text hold at one place of a model needs no more memory for a longer text.
public final class MatrixStore {
  /// Bytes that matrices in memory take at most; there is no limit without a folder.
  public let memoryLimit: Int
  private let file: ScratchFile?
  private var bytesInMemory = 0
  private var fileEnd = 0
  /// By size: places of the file that are free again.
  private var freePlaces: [Int: [Int]] = [:]
  private let workspace = Workspace(capacity: 64 << 20)

  /// - Parameter folder: on whose disk the file is; its space is free again when the store goes. In memory only if nil.
  public init(folder: String? = nil, memoryLimit: Int = 128 << 20) throws(FileError) {
    file = try folder.map { folder throws(FileError) in try ScratchFile(unnamedIn: folder) }
    self.memoryLimit = file == nil ? .max : memoryLimit
  }

  /// Keeps a matrix until the result goes. Nobody may write to it any more.
  public func keep(_ matrix: Matrix) throws(FileError) -> StoredMatrix {
    let byteCount = 4 * matrix.count
    if let file, bytesInMemory + byteCount > memoryLimit {
      let place = freePlaces[byteCount]?.popLast() ?? fileEnd
      if place == fileEnd { fileEnd += byteCount }
      try file.write(UnsafeRawBufferPointer(matrix.values), at: place)
      return StoredMatrix(self, rows: matrix.rows, columns: matrix.columns, .file(offset: place))
    }
    bytesInMemory += byteCount
    return StoredMatrix(self, rows: matrix.rows, columns: matrix.columns, .memory(matrix))
  }

  fileprivate func load(_ stored: StoredMatrix) throws(FileError) -> Matrix {
    switch stored.place {
    case .memory(let matrix): return matrix
    case .file(let offset):
      let matrix = Matrix(rows: stored.rows, columns: stored.columns, workspace: workspace)
      try file?.read(into: UnsafeMutableRawBufferPointer(matrix.values), at: offset)
      return matrix
    }
  }

  fileprivate func forget(_ stored: StoredMatrix) {
    let byteCount = 4 * stored.rows * stored.columns
    switch stored.place {
    case .memory: bytesInMemory -= byteCount
    case .file(let offset): freePlaces[byteCount, default: []].append(offset)
    }
  }
}

/// A matrix in a `MatrixStore`, as long as this object is there.
public final class StoredMatrix {
  public let rows: Int
  public let columns: Int
  private let store: MatrixStore
  fileprivate let place: Place

  fileprivate enum Place {
    case memory(Matrix)
    case file(offset: Int)
  }

  fileprivate init(_ store: MatrixStore, rows: Int, columns: Int, _ place: Place) {
    self.store = store
    self.rows = rows
    self.columns = columns
    self.place = place
  }

  deinit { store.forget(self) }

  /// The matrix; only to be read.
  public func load() throws(FileError) -> Matrix { try store.load(self) }
}
