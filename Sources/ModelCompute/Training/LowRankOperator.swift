public import ModelArchitectures

/// A frozen weight with what low-rank adaptation adds to it: W + scale · up · down (Hu et al., arXiv 2106.09685).
public struct LowRankOperator: LinearOperator {
  /// (out, in), not trained.
  let base: any LinearOperator
  let key: WeightKey
  /// (rank, in)
  let down: Matrix
  /// (out, rank)
  let up: Matrix
  let scale: Float

  public var outputCount: Int { base.outputCount }
  public var inputCount: Int { base.inputCount }

  public func apply(to input: Matrix, into output: Matrix) throws {
    try base.apply(to: input, into: output)
    withExtendedLifetime(projected(input)) { inner in
      BLAS.multiplyInParallel(inner.panel, up.panel, transposed: .right, into: output.panel, keeping: 1)
    }
  }

  public func applyTransposed(to outputGradient: Matrix, into inputGradient: Matrix, isAdded: Bool) throws {
    try base.applyTransposed(to: outputGradient, into: inputGradient, isAdded: isAdded)
    withExtendedLifetime(pulledBack(outputGradient)) { inner in
      BLAS.multiplyInParallel(inner.panel, down.panel, into: inputGradient.panel, keeping: 1)
    }
  }

  /// dUp = scale · dOutputᵀ · (input · downᵀ), dDown = scale · (dOutput · up)ᵀ · input
  public func addWeightGradient(
    of key: WeightKey, input: Matrix, outputGradient: Matrix, to gradients: Gradients
  ) {
    gradients.addProduct(outputGradient, projected(input), to: .factor(.up, of: key))
    gradients.addProduct(pulledBack(outputGradient), input, to: .factor(.down, of: key))
  }

  /// scale · input · downᵀ: `tokens × rank`
  private func projected(_ input: Matrix) -> Matrix {
    let inner = Matrix(rows: input.rows, columns: down.rows)
    BLAS.multiplyInParallel(input.panel, down.panel, transposed: .right, into: inner.panel)
    scaleRows(inner, by: scale, into: inner)
    return inner
  }

  /// scale · dOutput · up: `tokens × rank`
  private func pulledBack(_ outputGradient: Matrix) -> Matrix {
    let inner = Matrix(rows: outputGradient.rows, columns: up.columns)
    BLAS.multiplyInParallel(outputGradient.panel, up.panel, into: inner.panel)
    scaleRows(inner, by: scale, into: inner)
    return inner
  }
}
