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
  /// soft-cap's slope; then dQ = scale · dS · K and dK = scale · dSᵀ · Q. One task for each sequence and query head;
  /// the query heads of a group add up in dK and dV.
  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) {
    precondition(frame.past.sequences.isEmpty, "a backward pass has no past")
    let queryGradient = frame.makeMatrix(like: frame.sites[query])
    // Of every query head by itself.
    let keyGradients = frame.makeMatrix(like: queryGradient)
    let valueGradients = frame.makeMatrix(like: queryGradient)
    let geometry = geometry(frame)
    let heads = frame.network.hyperparameters.queryHeadCount
    parallelChunks(of: frame.batch.sequences.count * heads, size: geometry.tasks(per: heads)) { tasks in
      let scratch = AttentionScratch(geometry, forGradients: true)
      for task in tasks {
        let head = geometry.head(sequence: task / heads, query: task % heads)
        func part(_ matrix: Matrix) -> Panel { matrix.panel.rows(head.rows).columns(head.queryColumns) }
        let gradients = AttentionGradients(
          output: part(gradient), query: part(queryGradient), key: part(keyGradients), value: part(valueGradients))
        for row in 0..<head.rows.count {
          gradients.key.row(row).update(repeating: 0, count: head.queryColumns.count)
          gradients.value.row(row).update(repeating: 0, count: head.queryColumns.count)
        }
        for tile in geometry.tiles(of: head) { geometry.differentiate(tile, head, gradients, scratch) }
      }
    }
    sites.add(new: queryGradient, to: query)
    sites.add(new: sumOfGroups(keyGradients, frame), to: key)
    sites.add(new: sumOfGroups(valueGradients, frame), to: value)
  }

  /// (tokens, query heads · d) to (tokens, key heads · d): the sum over the query heads that share a key head.
  private func sumOfGroups(_ parts: Matrix, _ frame: Frame) -> Matrix {
    let model = frame.network.hyperparameters
    let group = model.queryHeadCount / model.keyValueHeadCount
    guard group > 1 else { return parts }
    let width = model.headDimension
    let result = frame.makeMatrix(rows: parts.rows, columns: model.keyValueHeadCount * width)
    forEachRowRange(rows: parts.rows, columns: parts.columns) { rows in
      for row in rows {
        for head in 0..<model.queryHeadCount {
          let (part, sum) = (parts[row].baseAddress! + head * width, result[row].baseAddress! + head / group * width)
          if head.isMultiple(of: group) {
            sum.update(from: part, count: width)
          } else {
            add(sum, part, into: sum, width)
          }
        }
      }
    }
    return result
  }

  private func geometry(_ frame: Frame) -> AttentionGeometry {
    AttentionGeometry(
      query: frame.sites[query], key: frame.matrix(at: key, frame.weights.cacheRounding(.key)),
      value: frame.matrix(at: value, frame.weights.cacheRounding(.value)), batch: frame.batch, past: frame.past,
      model: frame.network.hyperparameters, scale: Float(scale), softcap: softcap.map { Float($0) }, window: window)
  }
}
