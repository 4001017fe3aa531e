/// A row-major matrix of F32 values in 64-byte-aligned memory; for activations, `tokens × width`.
///
/// Sendable by this rule: whoever makes a matrix writes it, alone, until it hands the matrix on; from then on everybody
/// only reads. Steps that share the work of filling one matrix write disjoint rows or columns of it.
///
/// Row and value buffers are valid as long as the matrix is.
public final class Matrix: @unchecked Sendable {
  public let rows: Int
  public let columns: Int
  let start: UnsafeMutablePointer<Float>
  private let memory: MatrixMemory

  /// A matrix whose values are not set yet.
  public convenience init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, workspace: nil)
  }

  /// A matrix of zeros.
  public static func zeros(rows: Int, columns: Int) -> Matrix {
    let matrix = Matrix(rows: rows, columns: columns)
    matrix.values.update(repeating: 0)
    return matrix
  }

  /// A matrix of these values, row by row. There must be `rows · columns` of them.
  public convenience init(rows: Int, columns: Int, _ values: [Float]) {
    precondition(values.count == rows * columns, "\(rows) × \(columns) matrix from \(values.count) values")
    self.init(rows: rows, columns: columns, workspace: nil)
    _ = self.values.update(fromContentsOf: values)
  }

  /// Uninitialised, in memory that returns to the workspace afterwards.
  init(rows: Int, columns: Int, workspace: Workspace?) {
    precondition(rows >= 0 && columns >= 0)
    let count = rows * columns
    self.rows = rows
    self.columns = columns
    memory = workspace?.memory(count: count) ?? MatrixMemory(count: count)
    start = memory.start
  }

  private init(rowsOf matrix: Matrix, _ range: Range<Int>) {
    rows = range.count
    columns = matrix.columns
    memory = matrix.memory
    start = matrix.start + range.lowerBound * matrix.columns
  }

  public var count: Int { rows * columns }

  /// All values, row after row.
  public var values: UnsafeMutableBufferPointer<Float> { .init(start: start, count: count) }

  /// The values of one row.
  public subscript(row: Int) -> UnsafeMutableBufferPointer<Float> {
    precondition(row >= 0 && row < rows)
    return .init(start: start + row * columns, count: columns)
  }

  /// Rows that share the memory of this matrix.
  public func view(rows range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    return Matrix(rowsOf: self, range)
  }

  /// Rows with memory of their own; all of them if none are named.
  public func copy(rows range: Range<Int>? = nil) -> Matrix { copy(rows: range, workspace: nil) }

  func copy(rows range: Range<Int>? = nil, workspace: Workspace?) -> Matrix {
    let source = range.map(view(rows:)) ?? self
    let result = Matrix(rows: source.rows, columns: columns, workspace: workspace)
    result.start.update(from: source.start, count: source.count)
    return result
  }

  /// The values as an array, row after row.
  public var array: [Float] { Array(values) }

  var panel: Panel { Panel(start: start, rows: rows, columns: columns, stride: columns) }
}
