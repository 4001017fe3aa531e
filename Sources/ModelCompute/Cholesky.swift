internal import CModelBLAS
internal import TensorFormats

/// A = L Lᵀ of a symmetric positive definite matrix, in F64 on all cores. Of a row-major matrix only the lower triangle is read
/// and written.
enum Cholesky {
  private static let block = 128
  private static let tile = 256

  /// Writes L over A. Returns false, with the matrix half done, if A is not positive definite.
  static func factor(_ matrix: UnsafeMutablePointer<Double>, size: Int) -> Bool {
    _ = BLAS.setUp
    for start in stride(from: 0, to: size, by: block) {
      let end = min(start + block, size)
      guard factorDiagonal(matrix, start..<end, stride: size) else { return false }
      nonisolated(unsafe) let matrix = matrix
      parallelChunks(of: size - end, size: tile) { rows in
        // L21 = A21 · L11⁻ᵀ
        cblas_dtrsm(
          CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, Int32(rows.count), Int32(end - start), 1,
          matrix + start * size + start, Int32(size), matrix + (end + rows.lowerBound) * size + start, Int32(size))
      }
      let tiles = (size - end + tile - 1) / tile
      let pairs = (0..<tiles).flatMap { row in (0...row).map { (row, $0) } }
      parallelChunks(of: pairs.count, size: 1) { range in
        for (row, column) in pairs[range] {
          subtract(matrix, size: size, panel: start..<end, rows: row, columns: column)
        }
      }
    }
    return true
  }

  private static func factorDiagonal(
    _ matrix: UnsafeMutablePointer<Double>, _ range: Range<Int>, stride: Int
  ) -> Bool {
    for column in range {
      let pivot = matrix + column * stride
      var value = pivot[column]
      for k in range.lowerBound..<column { value -= pivot[k] * pivot[k] }
      guard value > 0, value.isFinite else { return false }
      pivot[column] = value.squareRoot()
      for row in column + 1..<max(column + 1, range.upperBound) {
        let other = matrix + row * stride
        var sum = other[column]
        for k in range.lowerBound..<column { sum -= other[k] * pivot[k] }
        other[column] = sum / pivot[column]
      }
    }
    return true
  }

  /// A22 −= L21 · L21ᵀ for one tile of the lower triangle.
  private static func subtract(
    _ matrix: UnsafeMutablePointer<Double>, size: Int, panel: Range<Int>, rows: Int, columns: Int
  ) {
    func range(_ tileIndex: Int) -> Range<Int> {
      let first = panel.upperBound + tileIndex * tile
      return first..<min(first + tile, size)
    }
    let (i, j) = (range(rows), range(columns))
    let left = matrix + i.lowerBound * size + panel.lowerBound
    let right = matrix + j.lowerBound * size + panel.lowerBound
    func multiply(into output: UnsafeMutablePointer<Double>, stride: Int, factor: Double, keep: Double) {
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, Int32(i.count), Int32(j.count), Int32(panel.count), factor, left,
        Int32(size), right, Int32(size), keep, output, Int32(stride))
    }
    guard rows == columns else {
      multiply(into: matrix + i.lowerBound * size + j.lowerBound, stride: size, factor: -1, keep: 1)
      return
    }
    // What stands above the diagonal is not ours.
    withUnsafeTemporaryAllocation(of: Double.self, capacity: i.count * i.count) { product in
      multiply(into: product.baseAddress!, stride: i.count, factor: 1, keep: 0)
      for row in 0..<i.count {
        let target = matrix + (i.lowerBound + row) * size + i.lowerBound
        for column in 0...row { target[column] -= product[row * i.count + column] }
      }
    }
  }
}
