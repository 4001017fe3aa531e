public import TensorFormats

/// The multipliers of a matrix of codes: one number for each block of `blockRows × blockColumns` values.
///
/// One shape says them all: a scale for the tensor (a block as large as it), for each row (1 × columns), for each 128 × 128 block
/// and for each 32 values of a row (1 × 32, as MXFP8 has them). Blocks at the lower and right edge may be smaller.
public struct ScaleGrid: Sendable {
  /// Shape `(rows of blocks, columns of blocks)`, whatever shape a file keeps them in.
  public let values: LazyTensor
  public let granularity: ScaleGranularity

  /// `values` has a number for each block of a matrix.
  public init(_ values: LazyTensor, _ granularity: ScaleGranularity) {
    precondition(values.shape.count == 2, "a grid has rows and columns")
    self.values = values
    self.granularity = granularity
  }

  /// Rows of values in a block; more than there are if one block holds them all.
  public var blockRows: Int { granularity.block.rows }
  /// Columns of values in a block.
  public var blockColumns: Int { granularity.block.columns }
  public var byteCount: Int { values.byteCount }
  public var rowCount: Int { values.shape[0] }
  public var columnCount: Int { values.shape[1] }

  /// Multiplies decoded codes with their scales.
  /// - Parameters:
  ///   - output: `rows.count × length` numbers, in place.
  ///   - rows: rows of the matrix.
  ///   - length: its columns.
  func multiply(_ output: UnsafeMutableBufferPointer<Float>, rows: Range<Int>, length: Int) throws {
    guard !rows.isEmpty, length > 0 else { return }
    let first = rows.lowerBound / blockRows
    let blocks = first..<(rows.upperBound - 1) / blockRows + 1
    let columns = columnCount
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: blocks.count * columns) { factors in
      try values.decode(rows: blocks, into: factors)
      for row in rows {
        let line = output.baseAddress! + (row - rows.lowerBound) * length
        let scales = factors.baseAddress! + (row / blockRows - first) * columns
        for block in 0..<columns {
          let start = block * blockColumns
          let factor = scales[block]
          for column in start..<min(start + blockColumns, length) { line[column] *= factor }
        }
      }
    }
  }
}

extension ScaleGrid {
  /// The grid of a matrix of which only some rows and columns stay, in their new order; nil keeps all. Nil if a block of the new
  /// matrix would hold values of two old blocks.
  func cut(rows: [Int]?, columns: [Int]?) -> ScaleGrid? {
    guard let blocksOfRows = Self.blocks(of: rows, size: blockRows),
      let blocksOfColumns = Self.blocks(of: columns, size: blockColumns)
    else { return nil }
    var values = values
    if let blocksOfRows { values = values.gatheringRows(blocksOfRows) }
    if let blocksOfColumns { values = values.gatheringColumns(blocksOfColumns, name: "") }
    return ScaleGrid(values, granularity)
  }

  /// For each new block the old block that all its values come from; `.some(nil)` if nothing is cut, nil if there is no such block.
  private static func blocks(of kept: [Int]?, size: Int) -> [Int]?? {
    guard let kept else { return .some(nil) }
    var blocks: [Int] = []
    for start in stride(from: 0, to: kept.count, by: size) {
      let members = kept[start..<min(start + size, kept.count)]
      let block = members.first! / size
      guard members.allSatisfy({ $0 / size == block }) else { return nil }
      blocks.append(block)
    }
    return .some(blocks)
  }
}
