import ModelArchitectures
import TensorFormats
import Testing

@testable import ModelCheckpoints

/// A computed tensor gives the same bytes in whatever panels it is read.
@Suite struct LazySourceTests {
  private static let shapes = [[1, 32], [7, 32], [33, 64], [64, 32]]

  private func base(_ shape: [Int], seed: UInt64 = 3) -> LazyTensor {
    var generator = Lehmer(state: seed)
    return LazyTensor((0..<shape.reduce(1, *)).map { _ in generator.value() }, shape: shape)
  }

  private func expectPanelsAgree(_ tensor: LazyTensor, location: SourceLocation = #_sourceLocation) throws {
    let whole = try tensor.bytes()
    #expect(whole.count == tensor.byteCount, sourceLocation: location)
    var generator = Lehmer(state: 11)
    let size = tensor.rowByteCount
    for _ in 0..<40 {
      let ends = [generator.index(tensor.rowCount + 1), generator.index(tensor.rowCount + 1)].sorted()
      try tensor.withRows(ends[0]..<ends[1]) { bytes in
        #expect(Array(bytes) == Array(whole[ends[0] * size..<ends[1] * size]), sourceLocation: location)
      }
    }
  }

  @Test(arguments: shapes) func gatheredRowsAreTheRowsAsked(shape: [Int]) throws {
    let base = base(shape)
    var generator = Lehmer(state: 5)
    let indices = (0..<2 * shape[0]).map { _ in generator.index(shape[0]) }
    for format in [ElementFormat.f32, .bf16, .q8_0] {
      let encoded = try base.encoded(as: format)
      let gathered = encoded.gatheringRows(indices)
      try expectPanelsAgree(gathered)
      let (all, size) = (try encoded.bytes(), encoded.rowByteCount)
      let expected = indices.flatMap { all[$0 * size..<($0 + 1) * size] }
      #expect(try gathered.bytes() == expected)
    }
    try expectPanelsAgree(base.gatheringRows([]))
  }

  @Test(arguments: shapes) func gatheredColumnsAreTheColumnsAsked(shape: [Int]) throws {
    var generator = Lehmer(state: 7)
    for (format, count) in [(ElementFormat.f32, 5), (.bf16, 40), (.f8E4M3, 3), (.f64, 1), (.q8_0, 32), (.q8_0, 5)] {
      let encoded = try base(shape).encoded(as: format)
      let indices = (0..<count).map { _ in generator.index(shape[1]) }
      let gathered = encoded.gatheringColumns(indices, name: "w")
      try expectPanelsAgree(gathered)
      // Blocks that the columns do not fill become F16; those that they fill are encoded anew.
      let values = try encoded.decoded()
      let expected = LazyTensor(
        (0..<shape[0]).flatMap { row in indices.map { values[row * shape[1] + $0] } }, shape: [shape[0], count])
      #expect(gathered.format == (format == .q8_0 && count == 5 ? .f16 : format))
      #expect(try gathered.bytes() == expected.encoded(as: gathered.format).bytes())
    }
  }

  /// Encoding decoded blocks again would give other scales.
  @Test(arguments: [ElementFormat.q8_0, .q4_0, .q4_1]) func blocksThatStayWholeKeepTheirBytes(
    format: ElementFormat
  ) throws {
    let encoded = try base([9, 128]).encoded(as: format)
    let block = format.blockBytes
    /// The bytes of some blocks of a row.
    func blocks(_ numbers: [Int], of tensor: LazyTensor, row: Int) throws -> [UInt8] {
      let all = try tensor.bytes()
      return numbers.flatMap { number -> [UInt8] in
        let start = row * tensor.rowByteCount + number * block
        return Array(all[start..<start + block])
      }
    }
    let swapped = encoded.gatheringColumns(Array(96..<128) + Array(32..<64), name: "w")
    try expectPanelsAgree(swapped)
    // The second block is of two halves; the first and the third move.
    let mixed = encoded.gatheringColumns(Array(0..<32) + Array(48..<80) + Array(96..<128), name: "w")
    try expectPanelsAgree(mixed)
    let values = try encoded.decoded()
    let middle = LazyTensor((0..<9).flatMap { values[$0 * 128 + 48..<$0 * 128 + 80] }, shape: [9, 32])
    let again = try middle.encoded(as: format)
    for row in 0..<9 {
      #expect(try blocks([0, 1], of: swapped, row: row) == blocks([3, 1], of: encoded, row: row))
      #expect(try blocks([0, 2], of: mixed, row: row) == blocks([0, 3], of: encoded, row: row))
      #expect(try blocks([1], of: mixed, row: row) == blocks([0], of: again, row: row))
    }
  }

  @Test func aVectorIsGatheredByElement() throws {
    let vector = base([16])
    let gathered = vector.gatheringRows([3, 3, 15, 0])
    #expect(gathered.shape == [4])
    let values = try vector.decoded()
    #expect(try gathered.decoded() == [values[3], values[3], values[15], values[0]])
    try expectPanelsAgree(gathered)
  }

  @Test(arguments: shapes) func convertedRowsAreTheCodecsRows(shape: [Int]) throws {
    let base = base(shape)
    for format in [ElementFormat.f32, .f16, .bf16, .q8_0, .q4_0, .q4_1, .f8E4M3] {
      let converted = base.converted(to: format, name: "x")
      try expectPanelsAgree(converted)
      #expect(try converted.bytes() == base.encoded(as: format).bytes())
    }
    try expectPanelsAgree(base.converted(to: .bf16, adding: 1, name: "x"))
    #expect(try base.converted(to: .f32, adding: 1, name: "x").decoded() == base.decoded().map { $0 + 1 })
    #expect(base.converted(to: .f32, name: "x").source is MemoryTensor)
  }

  @Test(arguments: shapes) func restoredOffsetsAreTheOriginals(shape: [Int]) throws {
    let originals = try base(shape).decoded()
    let stored = LazyTensor(originals.map { $0 + 1 }, shape: shape)
    for record in [originals, [], Array(originals.prefix(5))] {
      let tensor = LazyTensor(
        format: .f32, shape: shape, source: RestoredOffset(stored: stored, originals: record))
      try expectPanelsAgree(tensor)
      let expected = originals.enumerated().map { $0 < record.count ? $1 : $1 + 1 - 1 }
      #expect(try tensor.decoded() == expected)
    }
  }

  private static let granularities: [ScaleGranularity] = [
    .tensor, .row, .block(rows: 1, columns: 32), .block(rows: 5, columns: 7), .block(rows: 128, columns: 128),
  ]

  /// Codes of a shape with a different scale for each block.
  private func scaled(_ shape: [Int], _ granularity: ScaleGranularity) throws -> Weight {
    let grid = granularity.gridShape(of: shape)
    let scales = LazyTensor((0..<grid[0] * grid[1]).map { Float($0) / 3 + 0.5 }, shape: grid)
    return Weight(try base(shape).encoded(as: .f8E4M3), scale: ScaleGrid(scales, granularity))
  }

  @Test(arguments: shapes, granularities)
  func scaledBlocksAreCodesTimesScales(shape: [Int], granularity: ScaleGranularity) throws {
    let weight = try scaled(shape, granularity)
    try expectPanelsAgree(weight.plain)
    let (block, columns) = (granularity.block, granularity.gridShape(of: shape)[1])
    let scales = try #require(weight.scale).values.decoded()
    let expected = try weight.values.decoded().enumerated().map { place, code in
      let (row, column) = place.quotientAndRemainder(dividingBy: shape[1])
      return code * scales[row / block.rows * columns + column / block.columns]
    }
    #expect(try weight.plain.decoded() == expected)
  }

  @Test(arguments: granularities) func cutsOfWholeBlocksKeepCodesAndScales(_ granularity: ScaleGranularity) throws {
    let weight = try scaled([20, 28], granularity)
    let grid = try #require(weight.scale)
    // Whole blocks of 5 × 7, the last ones partly, in another order.
    let rows = [10, 11, 12, 13, 14, 0, 1, 2, 3, 4, 17, 15]
    let columns = Array(14..<21) + Array(0..<7) + [22, 27]
    let values = weight.values.gatheringRows(rows).gatheringColumns(columns, name: "x")
    guard let cut = grid.cut(rows: rows, columns: columns) else {
      // Only where columns of two groups meet in one.
      #expect(granularity == .block(rows: 1, columns: 32))
      return
    }
    let expected = try weight.plain.gatheringRows(rows).gatheringColumns(columns, name: "x").decoded()
    #expect(try Weight(values, scale: cut).plain.decoded() == expected)
  }

  @Test func cutsThroughBlocksHaveNoGrid() throws {
    let grid = try #require(try scaled([20, 28], .block(rows: 5, columns: 7)).scale)
    #expect(grid.cut(rows: [0, 1, 2, 3, 5], columns: nil) == nil)
    #expect(grid.cut(rows: nil, columns: [0, 1, 2, 3, 4, 5, 7]) == nil)
    #expect(grid.cut(rows: [4, 0], columns: nil)?.rowCount == 1)
    #expect(grid.cut(rows: nil, columns: nil)?.values.shape == [4, 4])
  }

  @Test func aLongChainIsStillThePanelsOfTheWhole() throws {
    let order = RotaryRowOrder.toGGUF(heads: 4, headDimension: 16)
    let chain = base([64, 32]).converted(to: .bf16, name: "x").gatheringRows(order).converted(to: .q8_0, name: "x")
    try expectPanelsAgree(chain)
  }

  @Test func everyTransformToGGUFHasAnExactInverse() throws {
    let order = RotaryRowOrder.toGGUF(heads: 4, headDimension: 16)
    let back = RotaryRowOrder.toHuggingFace(heads: 4, headDimension: 16)
    for format in [ElementFormat.f32, .f16, .bf16, .q8_0, .q4_1] {
      let tensor = try base([64, 32]).encoded(as: format)
      #expect(try tensor.gatheringRows(order).gatheringRows(back).bytes() == tensor.bytes())
    }
    let vector = base([64])
    #expect(try vector.gatheringRows(order).gatheringRows(back).bytes() == vector.bytes())
  }
}

/// Seeded random numbers, the same everywhere.
struct Lehmer {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }

  mutating func index(_ count: Int) -> Int { Int(next() % UInt64(count)) }
  mutating func value() -> Float { Float(next() % 4096) / 2048 - 1 }
}
