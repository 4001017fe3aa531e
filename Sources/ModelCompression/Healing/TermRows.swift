internal import ModelArchitectures
internal import ModelCompute
internal import TensorFormats

/// The equations of one term for some rows: what its projection should give, and how much each row counts.
struct TermRows {
  let targets: Matrix
  let weights: [Float]

  /// - Parameter factors: of the norm behind the projection, if there is one. It makes a row's length its own affair, so the row
  ///   keeps its length and is only asked for the direction that the norm turns into what is wanted.
  init(_ term: ResidualTerm, _ view: BlockPass.View, _ target: Matrix, postNorm factors: [Float]?) {
    let own = factors.map { _ in view[term.linear.output] }
    let targets = Matrix(rows: target.rows, columns: target.columns)
    let weights = Matrix(rows: 1, columns: target.rows)
    let others = term.others.map { view[$0] }
    parallelChunks(of: target.rows, size: 64) { range in
      for row in range {
        let (wanted, result) = (target[row], targets[row])
        Self.subtract(others.map { $0[row] }, from: wanted, into: result)
        var scale = Self.meanSquare(wanted)
        if let factors, let own { scale *= Self.undoNorm(factors, length: own[row], in: result) }
        weights.values[row] = 1 / (scale + 1e-12)
      }
    }
    self.targets = targets
    self.weights = weights.array
  }

  static func relativeErrors(_ term: ResidualTerm, _ view: BlockPass.View, _ target: Matrix) -> [Double] {
    let terms = (term.others + [term.contribution]).map { view[$0] }
    return parallelMap(of: target.rows, chunk: 64) { row in
      let wanted = target[row]
      return withUnsafeTemporaryAllocation(of: Float.self, capacity: wanted.count) { rest in
        subtract(terms.map { $0[row] }, from: wanted, into: rest)
        return Double(meanSquare(rest)) / (Double(meanSquare(wanted)) + 1e-12)
      }
    }
  }

  private static func subtract(
    _ terms: [UnsafeMutableBufferPointer<Float>], from target: UnsafeMutableBufferPointer<Float>,
    into result: UnsafeMutableBufferPointer<Float>
  ) {
    for column in target.indices { result[column] = target[column] }
    for term in terms { for column in target.indices { result[column] -= term[column] } }
  }

  /// Divides by the factors of a norm and gives the row the length of `own`. Returns that row's mean square.
  private static func undoNorm(
    _ factors: [Float], length own: UnsafeMutableBufferPointer<Float>, in row: UnsafeMutableBufferPointer<Float>
  ) -> Float {
    for column in row.indices { row[column] = abs(factors[column]) > 1e-6 ? row[column] / factors[column] : 0 }
    let square = meanSquare(own)
    let scale = (square / (meanSquare(row) + 1e-20)).squareRoot()
    for column in row.indices { row[column] *= scale }
    return square
  }

  private static func meanSquare(_ values: UnsafeMutableBufferPointer<Float>) -> Float {
    sumOfSquares(values) / Float(max(values.count, 1))
  }
}
