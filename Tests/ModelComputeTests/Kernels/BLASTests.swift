import Testing

@testable import ModelCompute

struct BLASTests {
  /// Σ over the inner dimension, in double precision.
  private static func product(_ left: Matrix, _ right: Matrix, _ transposed: BLAS.Transposed) -> [Float] {
    let rows = transposed == .left ? left.columns : left.rows
    let columns = transposed == .right ? right.rows : right.columns
    let inner = transposed == .left ? left.rows : left.columns
    var result: [Float] = []
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = 0.0
        for index in 0..<inner {
          let a = transposed == .left ? left[index][row] : left[row][index]
          let b = transposed == .right ? right[column][index] : right[index][column]
          sum += Double(a) * Double(b)
        }
        result.append(Float(sum))
      }
    }
    return result
  }

  /// One row goes another way than many; the last is cut into tiles.
  @Test(arguments: [BLAS.Transposed.none, .left, .right], [(1, 7, 5), (6, 9, 4), (33, 21, 50), (150, 330, 90)])
  func productsAreRight(_ transposed: BLAS.Transposed, _ sizes: (Int, Int, Int)) {
    let (rows, columns, inner) = sizes
    var generator = SeededGenerator(state: 3)
    func matrix(_ rows: Int, _ columns: Int) -> Matrix {
      Matrix(rows: rows, columns: columns, generator.values(rows * columns, in: -1...1))
    }
    let left = transposed == .left ? matrix(inner, rows) : matrix(rows, inner)
    let right = transposed == .right ? matrix(columns, inner) : matrix(inner, columns)
    let expected = Self.product(left, right, transposed)
    let output = Matrix(rows: rows, columns: columns)
    BLAS.multiplyInParallel(left.panel, right.panel, transposed: transposed, into: output.panel)
    #expect(normalisedError(output.values, expected) < 1e-12)
    BLAS.multiplyInParallel(left.panel, right.panel, transposed: transposed, into: output.panel, keeping: 1)
    #expect(normalisedError(output.values, expected.map { 2 * $0 }) < 1e-12)
  }

  @Test func panelsInsideAMatrixAreMultipliedWhereTheyLie() {
    var generator = SeededGenerator(state: 4)
    let left = Matrix(rows: 5, columns: 12, generator.values(60, in: -1...1))
    let right = Matrix(rows: 7, columns: 9, generator.values(63, in: -1...1))
    let output = Matrix.zeros(rows: 6, columns: 10)
    BLAS.multiply(
      left.panel.columns(2..<6), right.panel.rows(1..<4).columns(3..<7), transposed: .right,
      into: output.panel.rows(1..<6).columns(4..<7))
    for row in 0..<6 {
      for column in 0..<10 {
        var expected = 0.0
        if row >= 1 && (4..<7).contains(column) {
          for index in 0..<4 { expected += Double(left[row - 1][2 + index] * right[column - 3][3 + index]) }
        }
        #expect(abs(Double(output[row][column]) - expected) < 1e-6)
      }
    }
  }
}
