internal import ModelArchitectures
internal import TensorFormats

// query, output: (tokens, query heads · d)  key, value: (tokens, key heads · d)
extension AttendStep: ExecutableStep {
  var savedSites: [Site] { [query, key, value] }

  /// One task for each sequence and query head; inside it, tiles of queries against the keys they see.
  func forward(_ frame: Frame) -> Matrix {
    let output = frame.makeMatrix(like: frame.sites[query])
    let heads = frame.network.hyperparameters.queryHeadCount
    let geometry = geometry(frame)
    parallelChunks(of: frame.batch.sequences.count * heads, size: geometry.tasks(per: heads)) { tasks in
      let scratch = AttentionScratch(geometry)
      for task in tasks {
        let head = geometry.head(sequence: task / heads, query: task % heads)
        let result = output.panel.rows(head.rows).columns(head.queryColumns)
        for tile in geometry.tiles(of: head) {
          let weights = geometry.probabilities(tile, head, scratch)
          for (keys, segment) in head.segments(within: tile.keys) {
            BLAS.multiply(
              weights.columns(keys), segment.values, into: result.rows(tile.queries),
              keeping: keys.lowerBound > 0 ? 1 : 0)
          }
        }
      }
    }
    return output
  }

  /// With P the probabilities, computed again: dV = Pᵀ · dO, dP = dO · Vᵀ, dS = P ⊙ (dP − the row sums of dP ⊙ P), through the
  /// soft-cap's slope; then dQ = scale · dS · K and dK = scale · dSᵀ · Q. One task for each sequence and key head, because its
  /// query heads add to the same dK and dV.
  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) {
    precondition(frame.past.sequences.isEmpty, "a backward pass has no past")
    let queryGradient = frame.makeMatrix(like: frame.sites[query])
    let keyGradient = frame.makeMatrix(like: frame.sites[key])
    let valueGradient = frame.makeMatrix(like: frame.sites[value])
    keyGradient.values.update(repeating: 0)
    valueGradient.values.update(repeating: 0)
    let geometry = geometry(frame)
    let heads = frame.network.hyperparameters.keyValueHeadCount
    parallelChunks(of: frame.batch.sequences.count * heads, size: geometry.tasks(per: heads)) { tasks in
      let scratch = AttentionScratch(geometry, forGradients: true)
      for task in tasks {
        for query in geometry.group(ofKeyHead: task % heads) {
          let head = geometry.head(sequence: task / heads, query: query)
          let gradients = AttentionGradients(
            output: gradient.panel.rows(head.rows).columns(head.queryColumns),
            query: queryGradient.panel.rows(head.rows).columns(head.queryColumns),
            key: keyGradient.panel.rows(head.rows).columns(head.keyColumns),
            value: valueGradient.panel.rows(head.rows).columns(head.keyColumns))
          for tile in geometry.tiles(of: head) { geometry.differentiate(tile, head, gradients, scratch) }
        }
      }
    }
    sites.add(new: queryGradient, to: query)
    sites.add(new: keyGradient, to: key)
    sites.add(new: valueGradient, to: value)
  }

  private func geometry(_ frame: Frame) -> AttentionGeometry {
    AttentionGeometry(
      query: frame.sites[query], key: frame.sites[key], value: frame.sites[value], batch: frame.batch, past: frame.past,
      model: frame.network.hyperparameters, scale: Float(scale), softcap: softcap.map { Float($0) }, window: window)
  }
}
