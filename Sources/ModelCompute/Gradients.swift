public import ModelArchitectures

/// Gradients of a loss with respect to weights, summed over everything that is added. One thread at a time.
public final class Gradients {
  private var sums: [ParameterKey: Matrix] = [:]
  /// Sums that are zero, whatever their memory holds: the first product is written over it.
  private var empty: Set<ParameterKey> = []
  private let wants: (WeightKey) -> Bool

  /// - Parameter wants: which weights are trained; the gradients of others are not computed.
  public init(of wants: @escaping (WeightKey) -> Bool = { _ in true }) { self.wants = wants }

  /// One matrix for each weight, shaped as the weight is; a vector is one row.
  public var matrices: [WeightKey: Matrix] {
    var matrices: [WeightKey: Matrix] = [:]
    for case .weight(let key) in sums.keys { matrices[key] = self[key] }
    return matrices
  }

  /// The gradient of a weight; nil if it is not wanted or has not been reached.
  public subscript(key: WeightKey) -> Matrix? { self[.weight(key)] }
  /// The gradient of a trained matrix; nil if it has not been reached.
  public subscript(key: ParameterKey) -> Matrix? {
    if empty.remove(key) != nil { sums[key]!.values.update(repeating: 0) }
    return sums[key]
  }

  /// Zeros all sums; their memory is kept.
  public func reset() { empty = Set(sums.keys) }

  /// √Σ g² over everything. Not finite if any gradient is not.
  public var norm: Double {
    // In a fixed order, so that runs repeat.
    let keys = sums.keys.sorted { $0.description < $1.description }
    return keys.reduce(0.0) { $0 + self[$1]!.sumOfSquares }.squareRoot()
  }

  /// Where to add the gradient of a weight, zeros at first; nil if it is not wanted.
  func sum(of key: WeightKey, rows: Int, columns: Int) -> Matrix? {
    guard wants(key) else { return nil }
    return sum(of: .weight(key), rows: rows, columns: columns)
  }

  /// Where to add the gradient of a trained matrix, zeros at first.
  private func sum(of key: ParameterKey, rows: Int, columns: Int) -> Matrix {
    if let matrix = self[key] { return matrix }
    let matrix = Matrix.zeros(rows: rows, columns: columns)
    sums[key] = matrix
    return matrix
  }

  /// Adds leftᵀ · right to the gradient of a weight if it is wanted.
  func addProduct(_ left: Matrix, _ right: Matrix, to key: WeightKey) {
    if wants(key) { addProduct(left, right, to: .weight(key)) }
  }

  /// Adds leftᵀ · right to the gradient of a trained matrix: `(tokens, rows)` and `(tokens, columns)`.
  func addProduct(_ left: Matrix, _ right: Matrix, to key: ParameterKey) {
    let isFirst = empty.remove(key) != nil || sums[key] == nil
    let sum = sums[key] ?? Matrix(rows: left.columns, columns: right.columns)
    sums[key] = sum
    withExtendedLifetime((left, right)) {
      BLAS.multiplyInParallel(left.panel, right.panel, transposed: .left, into: sum.panel, keeping: isFirst ? 0 : 1)
    }
  }
}

extension Matrix {
  /// Σ x², exact to about a millionth, in an order that does not depend on the cores.
  var sumOfSquares: Double {
    let size = 1 << 16
    let pieces = (count + size - 1) / size
    let partial = Matrix.zeros(rows: 1, columns: max(1, pieces))
    forEachRowRange(rows: pieces, columns: size) { range in
      for piece in range {
        let first = piece * size
        partial.start[piece] = ModelCompute.sumOfSquares(self.start + first, min(size, self.count - first), around: 0)
      }
    }
    return partial.values.reduce(0) { $0 + Double($1) }
  }
}
