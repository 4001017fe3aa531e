public import ModelArchitectures

/// Gradients of a loss with respect to weights, summed over everything that is added. One thread at a time.
public final class Gradients {
  /// One matrix for each weight, shaped as the weight is; a vector is one row.
  public private(set) var matrices: [WeightKey: Matrix] = [:]
  private let wants: (WeightKey) -> Bool

  /// - Parameter wants: which weights are trained; the gradients of others are not computed.
  public init(of wants: @escaping (WeightKey) -> Bool = { _ in true }) { self.wants = wants }

  /// The gradient of a weight; nil if it is not wanted or has not been reached.
  public subscript(key: WeightKey) -> Matrix? { matrices[key] }

  /// Where to add the gradient of a weight, zeros at first; nil if it is not wanted.
  func sum(of key: WeightKey, rows: Int, columns: Int) -> Matrix? {
    guard wants(key) else { return nil }
    if let matrix = matrices[key] { return matrix }
    let matrix = Matrix.zeros(rows: rows, columns: columns)
    matrices[key] = matrix
    return matrix
  }
}
