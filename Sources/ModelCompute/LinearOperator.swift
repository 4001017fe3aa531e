public import ModelArchitectures

/// What a linear step multiplies with: a weight W of shape (out, in), however it is kept.
public protocol LinearOperator: Sendable {
  var outputCount: Int { get }
  var inputCount: Int { get }

  /// output = input · Wᵀ
  ///
  /// - Parameters:
  ///   - input: `tokens × in`
  ///   - output: `tokens × out`, written whole
  func apply(to input: Matrix, into output: Matrix) throws

  /// inputGradient = outputGradient · W, added to what is there if `isAdded`.
  ///
  /// - Parameters:
  ///   - outputGradient: `tokens × out`
  ///   - inputGradient: `tokens × in`
  func applyTransposed(to outputGradient: Matrix, into inputGradient: Matrix, isAdded: Bool) throws

  /// Adds the gradient of what is trained of the weight. By default that is the weight itself: dW = outputGradientᵀ · input.
  ///
  /// - Parameters:
  ///   - input: `tokens × in`
  ///   - outputGradient: `tokens × out`
  func addWeightGradient(of key: WeightKey, input: Matrix, outputGradient: Matrix, to gradients: Gradients) throws
}

extension LinearOperator {
  public func addWeightGradient(of key: WeightKey, input: Matrix, outputGradient: Matrix, to gradients: Gradients) {
    gradients.addProduct(outputGradient, input, to: key)
  }
}

/// A weight as a matrix of F32 values.
struct DenseOperator: LinearOperator {
  let weight: Matrix

  var outputCount: Int { weight.rows }
  var inputCount: Int { weight.columns }

  func apply(to input: Matrix, into output: Matrix) {
    BLAS.multiplyInParallel(input.panel, weight.panel, transposed: .right, into: output.panel)
  }

  func applyTransposed(to outputGradient: Matrix, into inputGradient: Matrix, isAdded: Bool) {
    BLAS.multiplyInParallel(
      outputGradient.panel, weight.panel, into: inputGradient.panel, keeping: isAdded ? 1 : 0)
  }
}
