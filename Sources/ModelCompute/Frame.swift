internal import ModelArchitectures

/// What a step may look at: the sites written before it and the circumstances of the pass.
struct Frame {
  var sites = Sites()
  var weights: StepWeights
  let batch: TokenBatch
  let past: KeyValueState
  let network: NetworkContext

  func makeMatrix(rows: Int, columns: Int) -> Matrix {
    Matrix(rows: rows, columns: columns, workspace: network.workspace)
  }

  /// What a site holds, rounded.
  func matrix(at site: Site, _ rounding: ActivationRounding?) -> Matrix {
    guard let rounding else { return sites[site] }
    return rounding.rounded(sites[site], sequences: batch.sequences, workspace: network.workspace)
  }

  /// A matrix of the shape of another.
  func makeMatrix(like other: Matrix) -> Matrix { makeMatrix(rows: other.rows, columns: other.columns) }
}

/// What all passes of a network share.
struct NetworkContext: Sendable {
  let hyperparameters: Hyperparameters
  var workspace = Workspace()
  let rotations = RotationCache()
}
