/// How far a student's residual stream is from its teacher's, the sum over pairs of layers.
///
/// What a student's layer writes is carried to the teacher's width by a trained projection (out = teacher's width, in = student's),
/// which starts as the selection of the channels that the student kept.
public final class HiddenStateLoss {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// Mean over tokens and channels of (y − t)².
    case meanSquare
    /// Mean over tokens of 1 − cos(y, t).
    case cosine
  }

  public let kind: Kind
  /// Student layers that are compared, ascending.
  public let layers: [Int]
  /// One for each of them; trained with the student.
  public let projections: [(key: ParameterKey, values: Matrix)]

  /// - Parameter channels: for each channel of the student, the teacher's channel that it was; nil if all were kept.
  public init(_ kind: Kind, layers: [Int], studentWidth: Int, teacherWidth: Int, channels: [Int]? = nil) {
    precondition((channels?.count ?? teacherWidth) == studentWidth)
    self.kind = kind
    self.layers = layers.sorted()
    projections = self.layers.map { layer in
      let values = Matrix.zeros(rows: teacherWidth, columns: studentWidth)
      for channel in 0..<studentWidth { values[channels?[channel] ?? channel][channel] = 1 }
      return (.projection(layer: layer), values)
    }
  }

  /// Adds the gradients of the projections.
  ///
  /// - Parameters:
  ///   - outputs: of all the student's blocks, `tokens × width`.
  ///   - targets: by student layer, what the teacher holds in its place, `tokens × width`.
  ///   - weight: multiplies all gradients, given the loss.
  /// - Returns: the loss, without the weight, and its gradients with respect to `outputs`, with it.
  public func differentiate(
    _ outputs: [Matrix], targets: [Int: Matrix], into gradients: Gradients, weight: (Double) -> Double
  ) -> (loss: Double, gradients: [Int: Matrix]) {
    var loss = 0.0
    var slopes: [Matrix] = []
    for (index, layer) in layers.enumerated() {
      guard let target = targets[layer] else { preconditionFailure("layer \(layer) has no target") }
      let projected = Matrix(rows: target.rows, columns: target.columns)
      BLAS.multiplyInParallel(
        outputs[layer].panel, projections[index].values.panel, transposed: .right, into: projected.panel)
      loss += kind.replace(projected, against: target)
      slopes.append(projected)
    }
    let factor = Float(weight(loss))
    var result: [Int: Matrix] = [:]
    for (index, layer) in layers.enumerated() {
      let (key, projection) = projections[index]
      scaleRows(slopes[index], by: factor, into: slopes[index])
      gradients.addProduct(slopes[index], outputs[layer], to: key)
      let gradient = Matrix(rows: outputs[layer].rows, columns: outputs[layer].columns)
      BLAS.multiplyInParallel(slopes[index].panel, projection.panel, into: gradient.panel)
      result[layer] = gradient
    }
    return withExtendedLifetime(slopes) { (loss, result) }
  }
}

extension HiddenStateLoss.Kind {
  /// Returns the loss of `values` and writes its gradient over them.
  public func replace(_ values: Matrix, against target: Matrix) -> Double {
    precondition(values.rows == target.rows && values.columns == target.columns)
    let losses = Matrix.zeros(rows: 1, columns: max(1, values.rows))
    let (rowCount, width) = (values.rows, values.columns)
    forEachRowRange(rows: rowCount, columns: width, cost: 2) { rows in
      for row in rows {
        let (y, t) = (values[row].baseAddress!, target[row].baseAddress!)
        switch self {
        case .meanSquare:
          let scale = Lanes(repeating: 2 / Float(rowCount * width))
          map(y, t, into: y, width) { $0 - $1 }
          losses.start[row] = dot(y, y, width) / Float(width)
          map(y, into: y, width) { $0 * scale }
        case .cosine:
          let (yy, tt) = (max(dot(y, y, width), 1e-20), max(dot(t, t, width), 1e-20))
          let norms = yy.squareRoot() * tt.squareRoot()
          let cosine = dot(y, t, width) / norms
          losses.start[row] = 1 - cosine
          // d(1 − cos)/dy = y · cos / |y|² − t / (|y| · |t|)
          let own = Lanes(repeating: cosine / yy / Float(rowCount))
          let other = Lanes(repeating: 1 / norms / Float(rowCount))
          map(y, t, into: y, width) { $0 * own - $1 * other }
        }
      }
    }
    return losses.values.prefix(rowCount).reduce(0) { $0 + Double($1) } / Double(max(1, rowCount))
  }
}
