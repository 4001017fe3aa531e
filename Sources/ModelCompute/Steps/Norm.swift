internal import ModelArchitectures
internal import TensorFormats

// input, output: (tokens, heads · width)  weight, bias: (width), where heads is 1 unless each head is normed by itself
extension NormStep: ExecutableStep {
  var savedSites: [Site] { [input] }

  func forward(_ frame: Frame) -> Matrix {
    let input = frame.sites[input]
    let output = frame.makeMatrix(like: input)
    let terms = terms(frame.weights)
    forEachRowRange(rows: input.rows, columns: input.columns, cost: 1) { rows in
      for row in rows {
        let (x, y) = (input.start + row * input.columns, output.start + row * input.columns)
        for head in stride(from: 0, to: input.columns, by: terms.width) {
          terms.normalise(x + head, into: y + head)
          terms.finish(y + head)
        }
      }
    }
    return output
  }

  /// With n = (x − mean) · r and g = dOutput · weight: dInput = r · (g − mean(g) − n · mean(g · n)), the mean terms of the layer
  /// norm only; dWeight = Σ dOutput · n, dBias = Σ dOutput.
  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) {
    let input = frame.sites[input]
    let output = frame.makeMatrix(like: input)
    let terms = terms(frame.weights)
    // Every range of rows sums its own part of the weight gradient; the parts are added in order, so that the sum is the same
    // for any number of cores.
    let size = 64
    let parts = Matrix.zeros(rows: (input.rows + size - 1) / size, columns: terms.width)
    parallelChunks(of: input.rows, size: size) { rows in
      let normalised = Matrix(rows: 1, columns: terms.width)
      let part = parts.start + rows.lowerBound / size * terms.width
      for row in rows {
        let start = row * input.columns
        for head in stride(from: start, to: start + input.columns, by: terms.width) {
          let factor = terms.normalise(input.start + head, into: normalised.start)
          terms.differentiate(
            gradient.start + head, normalised.start, factor: factor, into: output.start + head, weight: part)
        }
      }
    }
    if let sum = weights.sum(of: frame.weights.key(weight), rows: 1, columns: terms.width) {
      addColumnSums(of: parts, to: sum)
    }
    if hasBias, let sum = weights.sum(of: frame.weights.key(weight, .bias), rows: 1, columns: terms.width) {
      addColumnSums(of: gradient, to: sum)
    }
    sites.add(new: output, to: self.input)
  }

  private func terms(_ weights: StepWeights) -> NormTerms {
    let stored = weights.vector(weight)
    let factors = Matrix(rows: 1, columns: stored.columns)
    for index in 0..<stored.columns { factors.start[index] = stored.start[index] + Float(offset) }
    return NormTerms(
      factors: factors, bias: hasBias ? weights.vector(weight, .bias) : nil, isCentred: kind == .layer,
      epsilon: Float(epsilon))
  }
}

/// The numbers of a norm and its arithmetic over one row.
private struct NormTerms: Sendable {
  /// The weight with its offset.
  let factors: Matrix
  let bias: Matrix?
  let isCentred: Bool
  let epsilon: Float

  var width: Int { factors.columns }

  /// output = (x − mean) · r with r = 1/√(variance + ε), the mean for the layer norm only.
  ///
  /// - Returns: r
  @discardableResult
  func normalise(_ x: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>) -> Float {
    let mean = isCentred ? sum(x, width) / Float(width) : 0
    let factor = 1 / (sumOfSquares(x, width, around: mean) / Float(width) + epsilon).squareRoot()
    shiftAndScale(x, by: -mean, factor: factor, into: output, width)
    return factor
  }

  /// Multiplies by the weight and adds the bias, in place.
  func finish(_ row: UnsafeMutablePointer<Float>) {
    multiply(row, factors.start, into: row, width)
    if let bias { add(row, bias.start, into: row, width) }
  }

  func differentiate(
    _ gradient: UnsafePointer<Float>, _ normalised: UnsafePointer<Float>, factor: Float,
    into output: UnsafeMutablePointer<Float>, weight: UnsafeMutablePointer<Float>
  ) {
    addProduct(gradient, normalised, to: weight, width)
    multiply(gradient, factors.start, into: output, width)
    let mean = isCentred ? sum(output, width) / Float(width) : 0
    let slope = dot(output, normalised, width) / Float(width)
    for index in 0..<width {
      output[index] = factor * (output[index] - mean - normalised[index] * slope)
    }
  }
}
