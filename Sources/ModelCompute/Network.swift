public import ModelArchitectures

/// A model that can be run: the program of an architecture over weights that are decoded when they are needed.
///
/// It keeps nothing but what it is made of. `run` goes layer by layer and holds the weights of one block at a time.
public struct Network: Sendable {
  public let architecture: Architecture
  public let hyperparameters: Hyperparameters
  public let program: Program
  let weights: any WeightSource
  private let roundings: EngineRoundings
  let context: NetworkContext
  private let specs: [WeightKey: WeightSpec]

  /// - Parameters:
  ///   - roundings: where activations are rounded as an engine does that runs the quantized model.
  ///   - idleBytes: memory of matrices that is kept for the next ones. A pass that keeps the traces of all blocks is faster if they fit.
  public init(
    architecture: Architecture, hyperparameters: Hyperparameters, weights: any WeightSource,
    roundings: EngineRoundings = .none, idleBytes: Int = 256 << 20
  ) {
    self.architecture = architecture
    self.hyperparameters = hyperparameters
    self.weights = weights
    self.roundings = roundings
    program = architecture.program(for: hyperparameters)
    context = NetworkContext(hyperparameters: hyperparameters, workspace: Workspace(capacity: idleBytes))
    let rows = architecture.weightSpecs(for: hyperparameters).map { (WeightKey($0.role, $0.part), $0) }
    specs = Dictionary(rows) { first, _ in first }
  }

  /// What the first block reads: `tokens × hidden`. Only the rows of tokens that occur are decoded.
  public func embed(_ batch: TokenBatch) throws -> Matrix {
    try prologue().forward(nil, batch: batch)
  }

  /// One block with its weights, decoded on all cores.
  public func block(_ index: Int) throws -> Block {
    precondition(program.blocks.indices.contains(index), "block \(index) of \(program.blocks.count)")
    return Block(layer: index, section: try section(program.blocks[index], layer: index))
  }

  /// `.finalHidden` of the last block's output: what the head reads.
  public func finalHidden(_ input: Matrix) throws -> Matrix {
    try epilogue().forward((.blockInput, input), batch: .none)
  }

  /// The head with its weight, or with what it takes to decode it.
  ///
  /// - Parameter denseLimit: bytes of F32 up to which the weight is kept decoded. Above, it is decoded panel by panel for each
  ///   matrix of tokens.
  public func head(denseLimit: Int = 256 << 20) throws -> Head {
    Head(section: try section(program.head, layer: nil, denseLimit: denseLimit))
  }

  /// All logits of one sequence: `tokens × vocabulary`.
  public func logits(_ tokens: [Int]) throws -> Matrix { try head().logits(finalHidden(run(TokenBatch([tokens])))) }

  func prologue() throws -> Section { try section(program.prologue, layer: nil) }
  func epilogue() throws -> Section { try section(program.epilogue, layer: nil) }

  private func section(_ steps: [Step], layer: Int?, denseLimit: Int = .max) throws -> Section {
    try hyperparameters.validate()
    let weights = try StepWeights(
      of: steps, layer: layer, from: weights, roundings: roundings, denseLimit: denseLimit, workspace: context.workspace
    ) { key in
      guard let spec = specs[WeightKey(key.role, key.part)] else {
        preconditionFailure("the program reads '\(key)', which the weight table does not have")
      }
      return spec.shape(in: hyperparameters)
    }
    return Section(steps, weights, context)
  }
}

extension TokenBatch {
  /// For steps that look at no tokens.
  static let none = TokenBatch([])
}

extension Hyperparameters {
  /// Refuses sizes that the steps cannot work with.
  fileprivate func validate() throws(ComputeError) {
    let sizes = [
      ("hidden size", hiddenSize), ("intermediate size", intermediateSize), ("query heads", queryHeadCount),
      ("key-value heads", keyValueHeadCount), ("head dimension", headDimension), ("vocabulary size", vocabularySize),
    ]
    for (name, size) in sizes where size <= 0 {
      throw ComputeError(.hyperparameters, "\(name): expected a positive number, found \(size)")
    }
    if !queryHeadCount.isMultiple(of: keyValueHeadCount) {
      throw ComputeError(
        .hyperparameters,
        "query heads: expected a multiple of \(keyValueHeadCount) key-value heads, found \(queryHeadCount)")
    }
    if rotary.dimension < 0 || rotary.dimension > headDimension || !rotary.dimension.isMultiple(of: 2) {
      throw ComputeError(
        .hyperparameters, "rotary channels: expected an even number up to \(headDimension), found \(rotary.dimension)")
    }
    if let window = slidingWindow, window <= 0 {
      throw ComputeError(.hyperparameters, "sliding window: expected a positive number, found \(window)")
    }
  }
}
