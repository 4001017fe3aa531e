internal import ModelArchitectures

/// The weights of the steps of one block, or of what stands before or behind the blocks, ready to be used.
struct StepWeights: Sendable {
  let source: any WeightSource
  let layer: Int?
  private(set) var operators: [WeightRole: any LinearOperator] = [:]
  /// Norm weights and all biases, one row each.
  private(set) var vectors: [WeightKey: Matrix] = [:]
  private let roundings: EngineRoundings

  func key(_ role: WeightRole, _ part: WeightKey.Part = .weight) -> WeightKey { WeightKey(role, part, layer: layer) }

  func linear(_ role: WeightRole) -> any LinearOperator {
    guard let found = operators[role] else {
      preconditionFailure("\(role.rawValue) is not a linear weight of this part")
    }
    return found
  }

  func vector(_ role: WeightRole, _ part: WeightKey.Part = .weight) -> Matrix {
    guard let found = vectors[key(role, part)] else {
      preconditionFailure("\(key(role, part)) is not a vector of this part")
    }
    return found
  }

  /// How the input of a linear weight is rounded; nil if it is not.
  func inputRounding(_ role: WeightRole) -> ActivationRounding? { roundings.inputs[key(role)] }
  /// How the cache keeps what a projection made; nil if as it is.
  func cacheRounding(_ role: WeightRole) -> ActivationRounding? { roundings.cached[key(role)] }

  /// Puts other values in the place of a weight or bias.
  mutating func replace(_ key: WeightKey, with values: Matrix) {
    if key.part == .weight, let old = operators[key.role] {
      precondition(old.outputCount == values.rows && old.inputCount == values.columns, "\(key): another shape")
      operators[key.role] = DenseOperator(weight: values)
    } else {
      precondition(vectors[key].map { $0.columns == values.count } ?? false, "\(key) is no weight of this part")
      vectors[key] = values
    }
  }

  /// Decodes what the steps need, on all cores.
  ///
  /// - Parameters:
  ///   - roundings: what becomes of activations on the way.
  ///   - shapes: the shape that a weight must have.
  ///   - denseLimit: bytes of F32 above which a linear weight is decoded panel by panel when it is used.
  init(
    of steps: [Step], layer: Int?, from source: any WeightSource, roundings: EngineRoundings = .none,
    denseLimit: Int = .max, workspace: Workspace, shapes: (WeightKey) -> [Int]
  ) throws {
    self.source = source
    self.layer = layer
    self.roundings = roundings
    var jobs: [DecodeJob] = []
    for step in steps {
      switch step {
      case .linear(let linear):
        let key = key(linear.weight)
        let shape = try Self.check(key, shapes(key), source)
        operators[linear.weight] =
          try source.linearOperator(for: key)
          ?? Self.decoded(key, shape, source, denseLimit, workspace, &jobs)
        if linear.hasBias { try addVector(self.key(linear.weight, .bias), shapes, workspace, &jobs) }
      case .norm(let norm):
        try addVector(key(norm.weight), shapes, workspace, &jobs)
        if norm.hasBias { try addVector(key(norm.weight, .bias), shapes, workspace, &jobs) }
      case .embed, .rotate, .attend, .activate, .multiply, .add, .softcap:
        break
      }
    }
    try DecodeJob.run(jobs, source)
  }

  private mutating func addVector(
    _ key: WeightKey, _ shapes: (WeightKey) -> [Int], _ workspace: Workspace, _ jobs: inout [DecodeJob]
  ) throws {
    let shape = try Self.check(key, shapes(key), source)
    let vector = Matrix(rows: 1, columns: shape[0], workspace: workspace)
    vectors[key] = vector
    jobs.append(DecodeJob(key: key, rows: 0..<shape[0], values: vector))
  }

  private static func decoded(
    _ key: WeightKey, _ shape: [Int], _ source: any WeightSource, _ denseLimit: Int, _ workspace: Workspace,
    _ jobs: inout [DecodeJob]
  ) -> any LinearOperator {
    let rowBytes = shape[1] * 4
    if shape[0] * rowBytes > denseLimit {
      return PanelledOperator(
        source: source, key: key, outputCount: shape[0], inputCount: shape[1],
        rowsPerPanel: max(1, denseLimit / 4 / max(1, rowBytes)), workspace: workspace)
    }
    let weight = Matrix(rows: shape[0], columns: shape[1], workspace: workspace)
    jobs += DecodeJob.jobs(key, rows: 0..<shape[0], into: weight)
    return DenseOperator(weight: weight)
  }

  static func check(_ key: WeightKey, _ expected: [Int], _ source: any WeightSource) throws -> [Int] {
    let found = try source.shape(of: key)
    guard found == expected else {
      throw ComputeError(.shape, "weight '\(key)': expected shape \(expected), found \(found)")
    }
    return found
  }
}
