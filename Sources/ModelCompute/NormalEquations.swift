internal import CModelBLAS
internal import TensorFormats

/// Least squares of many outputs on the same inputs, from sums over tokens: XᵀWX and XᵀWR.
///
/// Products are formed in F32 over the rows of one call and added in F64; factors and solutions are F64. Memory is
/// 8 · inputs · (inputs + 2 · outputs) bytes whatever the number of tokens, and a copy of the rows of one call.
public final class NormalEquations {
  /// Inputs, without the constant of an intercept.
  public let inputCount: Int
  public let outputCount: Int
  /// Whether a constant input stands behind the others.
  public let hasIntercept: Bool
  private let size: Int
  /// Row-major, `size × size`: the sums in the upper triangle, the Cholesky factor of the last solution below it.
  private let gram: UnsafeMutablePointer<Double>
  /// `size × outputs`
  private let moments: UnsafeMutablePointer<Double>
  /// Weighted rows of one call use the memory of those of the call before.
  private let workspace = Workspace()

  public init(inputCount: Int, outputCount: Int, hasIntercept: Bool = false) {
    self.inputCount = inputCount
    self.outputCount = outputCount
    self.hasIntercept = hasIntercept
    size = inputCount + (hasIntercept ? 1 : 0)
    gram = .allocate(capacity: size * size)
    gram.initialize(repeating: 0, count: size * size)
    moments = .allocate(capacity: size * outputCount)
    moments.initialize(repeating: 0, count: size * outputCount)
  }

  deinit {
    gram.deallocate()
    moments.deallocate()
  }

  // MARK: Sums

  private static let tile = 256

  /// Adds equations: for each row, Δ · input ≈ residual.
  ///
  /// - Parameters:
  ///   - inputs: `tokens × inputs`
  ///   - residuals: `tokens × outputs`
  ///   - weights: how much each row counts; all the same if nil.
  public func add(_ inputs: Matrix, _ residuals: Matrix, weights: [Float]? = nil) {
    precondition(inputs.columns == inputCount && residuals.columns == outputCount && inputs.rows == residuals.rows)
    precondition(weights.map { $0.count == inputs.rows } ?? true)
    guard inputs.rows > 0 else { return }
    let (x, r) = (scaled(inputs, weights, isExtended: hasIntercept), scaled(residuals, weights, isExtended: false))
    let step = Self.tile
    let (inputTiles, outputTiles) = ((size + step - 1) / step, (outputCount + step - 1) / step)
    var tiles: [(Int, Int)] = []
    for row in 0..<inputTiles { for column in row..<inputTiles + outputTiles { tiles.append((row, column)) } }
    let (jobs, size, outputCount) = (tiles, size, outputCount)
    nonisolated(unsafe) let (gram, moments) = (gram, moments)
    parallelChunks(of: jobs.count, size: 1) { range in
      for (row, column) in jobs[range] {
        let rows = row * step..<min((row + 1) * step, size)
        if column < inputTiles {
          let columns = column * step..<min((column + 1) * step, size)
          Self.accumulate(x, rows, x, columns, into: gram, stride: size)
        } else {
          let first = (column - inputTiles) * step
          Self.accumulate(x, rows, r, first..<min(first + step, outputCount), into: moments, stride: outputCount)
        }
      }
    }
  }

  /// Rows times the square root of their weight, with a constant column behind them if asked for.
  private func scaled(_ matrix: Matrix, _ weights: [Float]?, isExtended: Bool) -> Matrix {
    guard isExtended || weights != nil else { return matrix }
    let columns = matrix.columns
    let result = Matrix(rows: matrix.rows, columns: columns + (isExtended ? 1 : 0), workspace: workspace)
    forEachRowRange(rows: matrix.rows, columns: columns) { rows in
      for row in rows {
        let factor = weights.map { $0[row].squareRoot() } ?? 1
        let target = result.start + row * result.columns
        shiftAndScale(matrix.start + row * columns, by: 0, factor: factor, into: target, columns)
        if isExtended { target[columns] = factor }
      }
    }
    return result
  }

  private static func accumulate(
    _ left: Matrix, _ rows: Range<Int>, _ right: Matrix, _ columns: Range<Int>,
    into sums: UnsafeMutablePointer<Double>, stride: Int
  ) {
    let product = Matrix(rows: rows.count, columns: columns.count)
    BLAS.multiply(left.panel.columns(rows), right.panel.columns(columns), transposed: .left, into: product.panel)
    for row in 0..<rows.count {
      let target = sums + (rows.lowerBound + row) * stride + columns.lowerBound
      let source = product.start + row * columns.count
      for column in 0..<columns.count { target[column] += Double(source[column]) }
    }
  }

  // MARK: Solution

  /// The Δ that minimises Σ w |r − Δx|² + Σ λⱼ |Δⱼ − Δ₀ⱼ|² over the inputs j, with λⱼ = `ridge` · √(gⱼ · mean g), where g is the diagonal of
  /// XᵀWX. A constant input is not held back.
  ///
  /// A ridge that is the same for all inputs holds back the small ones most, one in proportion to gⱼ all alike, as if each were first
  /// scaled to one length. The geometric mean of the two does better than either on text that the fit has not seen.
  ///
  /// - Parameter center: Δ₀, of the shape of the result; zero if nil.
  /// - Returns: `outputs × inputs`, and behind the inputs the intercept if there is one; nil if the equations do not determine it.
  public func solve(ridge: Double, toward center: Matrix? = nil) -> Matrix? {
    precondition(center.map { $0.rows == outputCount && $0.columns == size } ?? true)
    let diagonal = (0..<size).map { gram[$0 * size + $0] }
    defer { for index in 0..<size { gram[index * size + index] = diagonal[index] } }
    let mean = diagonal[..<inputCount].reduce(0, +) / Double(max(inputCount, 1))
    guard mean > 0, mean.isFinite else { return nil }
    copyUpperToLower()
    // An input that is always zero still has to have a solution.
    let pulls = diagonal.indices.map { index in
      index < inputCount ? ridge * (max(diagonal[index], 1e-6 * mean) * mean).squareRoot() : 1e-9 * diagonal[index]
    }
    for index in 0..<size { gram[index * size + index] = diagonal[index] + pulls[index] }
    guard Cholesky.factor(gram, size: size) else { return nil }
    return solveTriangles(pulls, center)
  }

  /// What a solution leaves: residuals − Δ · inputs, in the place of the residuals.
  public static func subtract(_ solution: Matrix, of inputs: Matrix, from residuals: Matrix) {
    let count = inputs.columns
    precondition(solution.columns - count == 0 || solution.columns - count == 1)
    BLAS.multiplyInParallel(
      inputs.panel, solution.panel.columns(0..<count), transposed: .right, into: residuals.panel, factor: -1, keeping: 1
    )
    guard solution.columns > count else { return }
    let intercept = Matrix(rows: 1, columns: solution.rows, (0..<solution.rows).map { -solution[$0][count] })
    addRow(intercept, to: residuals)
  }

  private func copyUpperToLower() {
    let (size, step) = (size, 64)
    nonisolated(unsafe) let gram = gram
    parallelChunks(of: size, size: step) { rows in
      for block in stride(from: 0, to: rows.upperBound, by: step) {
        for row in rows {
          for column in block..<max(block, min(block + step, row)) {
            gram[row * size + column] = gram[column * size + row]
          }
        }
      }
    }
  }

  /// L Lᵀ Δᵀ = XᵀWR + λ Δ₀ᵀ, some outputs at a time.
  private func solveTriangles(_ pulls: [Double], _ center: Matrix?) -> Matrix {
    let (size, outputs) = (size, outputCount)
    let result = Matrix(rows: outputs, columns: size)
    nonisolated(unsafe) let (gram, moments) = (gram, moments)
    // Every call packs the whole factor: the more outputs share it, the better.
    let share = (outputs + processorCount - 1) / processorCount
    parallelChunks(of: outputs, size: min(max(share, 64), 512)) { range in
      let count = range.count
      let values = UnsafeMutablePointer<Double>.allocate(capacity: size * count)
      defer { values.deallocate() }
      for row in 0..<size {
        let (target, source) = (values + row * count, moments + row * outputs + range.lowerBound)
        target.initialize(from: source, count: count)
        guard let center else { continue }
        for column in 0..<count { target[column] += pulls[row] * Double(center[range.lowerBound + column][row]) }
      }
      for transposed in [CblasNoTrans, CblasTrans] {
        cblas_dtrsm(
          CblasRowMajor, CblasLeft, CblasLower, transposed, CblasNonUnit, Int32(size), Int32(count), 1, gram,
          Int32(size), values, Int32(count))
      }
      for row in 0..<size {
        for column in 0..<count {
          result.start[(range.lowerBound + column) * size + row] = Float(values[row * count + column])
        }
      }
    }
    return result
  }
}
