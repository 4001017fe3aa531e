internal import ModelArchitectures
internal import TensorFormats

/// Which rows, columns and tiles the heads of an attention step work on, and the arithmetic of one tile.
///
/// Keys are counted from the first of the past; query `q` of a sequence is key `past + q`.
struct AttentionGeometry: Sendable {
  let query: Matrix
  let key: Matrix
  let value: Matrix
  let batch: TokenBatch
  let past: KeyValueState
  let model: Hyperparameters
  let scale: Float
  let softcap: Float?
  let window: Int?

  /// Scores of a tile: they stay in the cache of a core.
  private static let tileSize = 1 << 16
  private static let tileRows = 64

  /// What one query head of one sequence reads.
  struct Head {
    /// Rows of the batch.
    let rows: Range<Int>
    let queryColumns: Range<Int>
    let query: Panel
    /// Keys and values with the index of their first, in order: the past, if any, and the batch's own.
    let segments: [Segment]
    var pastCount: Int { segments.count == 1 ? 0 : segments[0].keys.rows }

    struct Segment {
      let first: Int
      let keys: Panel
      let values: Panel
    }

    /// The parts of the segments that lie in a range of keys; ranges count from its start.
    func segments(within range: Range<Int>) -> [(Range<Int>, Segment)] {
      segments.compactMap { segment in
        let part = range.clamped(to: segment.first..<segment.first + segment.keys.rows)
        guard !part.isEmpty else { return nil }
        let own = part.lowerBound - segment.first..<part.upperBound - segment.first
        return (
          part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound,
          Segment(first: part.lowerBound, keys: segment.keys.rows(own), values: segment.values.rows(own))
        )
      }
    }
  }

  /// Neighbouring queries and all keys that any of them sees.
  struct Tile {
    let queries: Range<Int>
    let keys: Range<Int>
  }

  /// Tasks that a worker takes at a time: all of them if the whole step is small.
  func tasks(per heads: Int) -> Int {
    let longest = batch.sequences.map(\.count).max() ?? 0
    let work = batch.rows * longest * query.columns
    return work < 1_000_000 ? max(1, batch.sequences.count * heads) : 1
  }

  func head(sequence: Int, query head: Int) -> Head {
    let width = model.headDimension
    let keyHead = head / (model.queryHeadCount / model.keyValueHeadCount)
    let rows = batch.sequences[sequence]
    let queryColumns = head * width..<(head + 1) * width
    let keyColumns = keyHead * width..<(keyHead + 1) * width
    var segments: [Head.Segment] = []
    var count = 0
    if !past.sequences.isEmpty {
      let (keys, values) = past.sequences[sequence]
      segments.append(
        Head.Segment(first: 0, keys: keys.panel.columns(keyColumns), values: values.panel.columns(keyColumns)))
      count = keys.rows
    }
    segments.append(
      Head.Segment(
        first: count, keys: key.panel.rows(rows).columns(keyColumns), values: value.panel.rows(rows).columns(keyColumns)
      ))
    return Head(
      rows: rows, queryColumns: queryColumns, query: query.panel.rows(rows).columns(queryColumns), segments: segments)
  }

  /// Keys of the longest sequence.
  var keyCount: Int {
    let before = past.sequences.map(\.keys.rows).max() ?? 0
    return before + (batch.sequences.map(\.count).max() ?? 0)
  }

  /// Queries of a tile, fewer the more keys there are.
  var rowsPerTile: Int { max(16, min(Self.tileRows, Self.tileSize / max(1, keyCount))) }

  func tiles(of head: Head) -> [Tile] {
    let past = head.pastCount
    let size = rowsPerTile
    return stride(from: 0, to: head.rows.count, by: size).map { start in
      let end = min(start + size, head.rows.count)
      let first = window.map { max(0, past + start + 1 - $0) } ?? 0
      return Tile(queries: start..<end, keys: first..<past + end)
    }
  }

  /// The keys that one query sees, counted from the first of its tile.
  private func visible(_ query: Int, _ tile: Tile, _ head: Head) -> Range<Int> {
    let position = head.pastCount + query
    let first = window.map { max(0, position + 1 - $0) } ?? 0
    return first - tile.keys.lowerBound..<position + 1 - tile.keys.lowerBound
  }

  /// softmax(cap(scale · q·kᵀ)) of a tile, zero where a query does not see a key: (queries, keys).
  func probabilities(_ tile: Tile, _ head: Head, _ scratch: AttentionScratch) -> Panel {
    let scores = scratch.panel(scratch.scores, tile)
    for (keys, segment) in head.segments(within: tile.keys) {
      BLAS.multiply(
        head.query.rows(tile.queries), segment.keys, transposed: .right, into: scores.columns(keys), factor: scale)
    }
    for (index, query) in tile.queries.enumerated() {
      let row = scores.row(index)
      let seen = visible(query, tile, head)
      if let softcap {
        ModelCompute.softcap(row + seen.lowerBound, limit: softcap, into: row + seen.lowerBound, count: seen.count)
        if let capped = scratch.capped {
          scratch.panel(capped, tile).row(index).update(from: row, count: scores.columns)
        }
      }
      softmax(row + seen.lowerBound, count: seen.count)
      row.update(repeating: 0, count: seen.lowerBound)
      (row + seen.upperBound).update(repeating: 0, count: scores.columns - seen.upperBound)
    }
    return scores
  }
}

/// Memory of one worker for the tiles it works on.
struct AttentionScratch {
  let scores: Matrix
  let slopes: Matrix
  /// Capped scores, kept because the soft-cap's slope follows from them.
  let capped: Matrix?

  init(_ geometry: AttentionGeometry, forGradients: Bool = false) {
    let (rows, columns) = (geometry.rowsPerTile, geometry.keyCount)
    scores = Matrix(rows: rows, columns: columns)
    slopes = Matrix(rows: forGradients ? rows : 0, columns: columns)
    capped = forGradients && geometry.softcap != nil ? Matrix(rows: rows, columns: columns) : nil
  }

  /// The corner of a scratch matrix that a tile takes.
  func panel(_ matrix: Matrix, _ tile: AttentionGeometry.Tile) -> Panel {
    matrix.panel.rows(0..<tile.queries.count).columns(0..<tile.keys.count)
  }
}
