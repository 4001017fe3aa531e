/// left · right, on all cores: `(n, k) · (k, m)`.
public func product(_ left: Matrix, _ right: Matrix) -> Matrix {
  precondition(left.columns == right.rows, "\(left.columns) columns times \(right.rows) rows")
  let result = Matrix(rows: left.rows, columns: right.columns)
  BLAS.multiplyInParallel(left.panel, right.panel, into: result.panel)
  return result
}

/// left · rightᵀ, on all cores: `(n, k) · (m, k)`, what a linear step computes.
public func product(_ left: Matrix, transposed right: Matrix) -> Matrix {
  precondition(left.columns == right.columns, "\(left.columns) columns times \(right.columns)")
  let result = Matrix(rows: left.rows, columns: right.rows)
  BLAS.multiplyInParallel(left.panel, right.panel, transposed: .right, into: result.panel)
  return result
}
