public import ModelArchitectures

/// Weights that are trained, held as F32 over a source of all others.
///
/// A trained matrix is multiplied with as it lies in memory. A matrix that low-rank adaptation works on stays as it was, decoded once.
public final class TrainableWeights: WeightSource, @unchecked Sendable {
  // Sendable by the rule of Matrix: whoever trains writes between passes, passes only read.

  /// What low-rank adaptation is set to.
  public struct Adaptation: Sendable, Hashable, Codable {
    public var rank: Int
    /// ΔW is scaled by alpha ÷ rank.
    public var alpha: Double

    public init(rank: Int, alpha: Double? = nil) {
      self.rank = rank
      self.alpha = alpha ?? Double(2 * rank)
    }
  }

  /// Everything that is trained, in a fixed order; a vector is one row.
  public private(set) var parameters: [(key: ParameterKey, values: Matrix)] = []
  private var dense: [WeightKey: Matrix] = [:]
  private var adapted: [WeightKey: LowRankOperator] = [:]
  private var shapes: [WeightKey: [Int]] = [:]
  private let source: any WeightSource

  /// Decodes the weights that are trained.
  ///
  /// - Parameters:
  ///   - keys: weights that are trained themselves.
  ///   - adaptedKeys: matrices that get two factors of low rank: `down` from a fixed seed, `up` zero, so that nothing changes at first.
  ///   - source: what they start from, and all other weights.
  public init(
    training keys: [WeightKey], adapting adaptedKeys: [WeightKey] = [], by adaptation: Adaptation? = nil,
    of source: any WeightSource
  ) throws {
    self.source = source
    for key in keys + adaptedKeys {
      let shape = try source.shape(of: key)
      shapes[key] = shape
      let values = Matrix(rows: shape.count == 1 ? 1 : shape[0], columns: shape[shape.count - 1])
      try DecodeJob.run(
        shape.count == 1
          ? [DecodeJob(key: key, rows: 0..<shape[0], values: values)]
          : DecodeJob.jobs(key, rows: 0..<shape[0], into: values), source)
      dense[key] = values
    }
    for key in keys { parameters.append((.weight(key), dense[key]!)) }
    guard let adaptation else { return }
    for (index, key) in adaptedKeys.enumerated() {
      let weight = dense[key]!
      let factors = Self.factors(of: weight, rank: adaptation.rank, seed: UInt64(index))
      adapted[key] = LowRankOperator(
        base: DenseOperator(weight: weight), key: key, down: factors.down, up: factors.up,
        scale: Float(adaptation.alpha / Double(adaptation.rank)))
      parameters.append((.factor(.down, of: key), factors.down))
      parameters.append((.factor(.up, of: key), factors.up))
    }
  }

  /// The weights that differ from the source: trained ones as they are, adapted ones with ΔW added.
  public var results: [WeightKey: Matrix] {
    var results: [WeightKey: Matrix] = [:]
    for case (.weight(let key), let values) in parameters { results[key] = values }
    for (key, adaptation) in adapted { results[key] = adaptation.merged }
    return results
  }

  /// Forgets what the trained weights were: matrices from a normal distribution of deviation 0.02, biases zero, norms as if they were
  /// not there. What transformers starts a model with.
  public func randomize(normOffset: Double, seed: UInt64) {
    var generator = SplitMix64(seed: seed &+ 0x5261_6E64)
    for case (.weight(let key), let values) in parameters {
      if values.rows > 1 {
        values.fillNormal(deviation: 0.02, using: &generator)
      } else {
        values.values.update(repeating: key.part == .bias ? 0 : Float(1 - normOffset))
      }
    }
  }

  /// Whether the gradient of a weight itself is wanted.
  public func trains(_ key: WeightKey) -> Bool { dense[key] != nil && adapted[key] == nil }

  public func shape(of key: WeightKey) throws -> [Int] { try shapes[key] ?? source.shape(of: key) }

  public func decode(_ key: WeightKey, rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws {
    guard let matrix = adapted[key]?.merged ?? dense[key] else {
      return try source.decode(key, rows: rows, into: values)
    }
    let isVector = shapes[key]!.count == 1
    let start = isVector ? rows.lowerBound : rows.lowerBound * matrix.columns
    _ = values.update(fromContentsOf: matrix.values[start..<start + values.count])
  }

  public func linearOperator(for key: WeightKey) throws -> (any LinearOperator)? {
    try adapted[key] ?? dense[key].map { DenseOperator(weight: $0) } ?? source.linearOperator(for: key)
  }

  /// Uniform within ±1/√in, as torch starts linear layers, and zeros.
  private static func factors(of weight: Matrix, rank: Int, seed: UInt64) -> (down: Matrix, up: Matrix) {
    var generator = SplitMix64(seed: 0x4C6F_5241 &+ seed)
    let reach = 1 / Float(weight.columns).squareRoot()
    let values = (0..<rank * weight.columns).map { _ in Float.random(in: -reach...reach, using: &generator) }
    return (
      Matrix(rows: rank, columns: weight.columns, values), Matrix.zeros(rows: weight.rows, columns: rank)
    )
  }
}

extension LowRankOperator {
  /// W + scale · up · down
  fileprivate var merged: Matrix {
    guard let dense = base as? DenseOperator else { preconditionFailure("an adapted weight is decoded") }
    let result = dense.weight.copy()
    BLAS.multiply(up.panel, down.panel, into: result.panel, factor: scale, keeping: 1)
    return result
  }
}
