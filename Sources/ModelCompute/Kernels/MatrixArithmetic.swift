// Element by element over matrices of one shape, on all cores. Outputs may be one of the inputs.

func addRows(_ left: Matrix, _ right: Matrix, into output: Matrix) {
  forEachPair(left, right, output) { add($0, $1, into: $2, $3) }
}

func multiplyRows(_ left: Matrix, _ right: Matrix, into output: Matrix) {
  forEachPair(left, right, output) { multiply($0, $1, into: $2, $3) }
}

func scaleRows(_ input: Matrix, by factor: Float, into output: Matrix) {
  precondition(input.rows == output.rows && input.columns == output.columns)
  forEachRowRange(rows: input.rows, columns: input.columns) { rows in
    let start = rows.lowerBound * input.columns
    shiftAndScale(
      input.start + start, by: 0, factor: factor, into: output.start + start, rows.count * input.columns)
  }
}

/// Adds a row to every row of a matrix.
func addRow(_ row: Matrix, to matrix: Matrix) {
  precondition(row.columns == matrix.columns)
  forEachRowRange(rows: matrix.rows, columns: matrix.columns) { rows in
    for index in rows {
      let target = matrix.start + index * matrix.columns
      add(target, row.start, into: target, matrix.columns)
    }
  }
}

/// Adds the sums over the rows of `matrix` to the one row of `sums`; a matrix that is a multiple as wide is folded.
func addColumnSums(of matrix: Matrix, to sums: Matrix) {
  precondition(sums.rows == 1 && matrix.count.isMultiple(of: sums.columns))
  for start in stride(from: 0, to: matrix.count, by: sums.columns) {
    add(sums.start, matrix.start + start, into: sums.start, sums.columns)
  }
}

private func forEachPair(
  _ left: Matrix, _ right: Matrix, _ output: Matrix,
  _ body:
    @Sendable (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, _ count: Int) -> Void
) {
  precondition(left.rows == right.rows && left.columns == right.columns)
  precondition(left.rows == output.rows && left.columns == output.columns)
  forEachRowRange(rows: left.rows, columns: left.columns) { rows in
    let start = rows.lowerBound * left.columns
    body(left.start + start, right.start + start, output.start + start, rows.count * left.columns)
  }
}
