/// Gradients of one query head of one sequence.
struct AttentionGradients {
  /// Given, (tokens, d).
  let output: Panel
  /// Written, (tokens, d).
  let query: Panel
  /// Added to, (tokens, d).
  let key: Panel
  let value: Panel
}

extension AttentionGeometry {
  /// Adds what follows from the queries of one tile.
  func differentiate(_ tile: Tile, _ head: Head, _ gradients: AttentionGradients, _ scratch: AttentionScratch) {
    let weights = probabilities(tile, head, scratch)
    let slopes = scratch.panel(scratch.slopes, tile)
    let own = head.segments[0]
    let output = gradients.output.rows(tile.queries)
    BLAS.multiply(weights, output, transposed: .left, into: gradients.value.rows(tile.keys), keeping: 1)
    BLAS.multiply(output, own.values.rows(tile.keys), transposed: .right, into: slopes)
    for index in 0..<slopes.rows {
      let (weight, slope) = (weights.row(index), slopes.row(index))
      let mean = dot(slope, weight, slopes.columns)
      shiftAndScale(slope, by: -mean, factor: 1, into: slope, slopes.columns)
      multiply(slope, weight, into: slope, slopes.columns)
      if let softcap, let capped = scratch.capped {
        let score = scratch.panel(capped, tile).row(index)
        applySoftcapSlope(at: score, limit: softcap, to: slope, count: slopes.columns)
      }
    }
    BLAS.multiply(slopes, own.keys.rows(tile.keys), into: gradients.query.rows(tile.queries), factor: scale)
    BLAS.multiply(
      slopes, head.query.rows(tile.queries), transposed: .left, into: gradients.key.rows(tile.keys), factor: scale,
      keeping: 1)
  }
}
