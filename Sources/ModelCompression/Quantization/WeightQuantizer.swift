internal import ModelCheckpoints
internal import Synchronization
internal import TensorFormats

/// Quantizes one weight to E4M3: one node with two outputs, codes and scales, and what it cost.
///
/// A scale is found where its values are read for their codes, while they are in the cache, and kept: written codes first, a weight is
/// read once. Who asks for scales first has them computed by a pass of their own, with the same result.
final class WeightQuantizer: Sendable {
  private let weight: Weight
  private let name: String
  private let granularity: ScaleGranularity
  private let rule: ScaleRule
  private let rounding: QuotientRounding
  /// How much each column counts for the error of the output; nil if nobody asks.
  private let powers: [Float]?
  /// The scale of the whole matrix, if there is one for it.
  private let shared: SharedScale?
  private let state: Mutex<State>

  private struct State {
    /// Row by row of the grid; NaN where it is not known yet.
    var scales: [Float]
    /// For each row; noise is NaN where it is not known yet.
    var sums: [QuantizationSums]
    /// For each row, error and signal of its output; empty without powers.
    var outputs: [OutputSums]
  }

  /// - Parameters:
  ///   - shared: the scale of a matrix that has one for all; nil finds the matrix's own.
  ///   - powers: a factor for each column, if errors of the output are searched for or measured.
  init(
    _ weight: Weight, name: String, _ granularity: ScaleGranularity, rule: ScaleRule, rounding: QuotientRounding,
    shared: SharedScale? = nil, powers: [Float]? = nil
  ) {
    self.weight = weight
    self.name = name
    self.granularity = granularity
    self.rule = rule
    self.rounding = rounding
    self.powers = powers
    let searchPowers = rule.search == .outputError ? powers : nil
    self.shared =
      granularity == .tensor ? shared ?? SharedScale([(weight, name)], rule: rule, powers: searchPowers) : nil
    let grid = granularity.gridShape(of: weight.shape)
    var unknown = QuantizationSums()
    unknown.noise = .nan
    state = Mutex(
      State(
        scales: [Float](repeating: .nan, count: grid[0] * grid[1]),
        sums: [QuantizationSums](repeating: unknown, count: weight.values.rowCount),
        outputs: [OutputSums](repeating: OutputSums(), count: powers == nil ? 0 : weight.values.rowCount)))
  }

  /// Codes of the weight's shape, and scales.
  var quantized: Weight {
    let grid = granularity.gridShape(of: weight.shape)
    let scales = LazyTensor(format: rule.format, shape: grid, source: QuantizedScales(quantizer: self))
    var result = Weight(
      LazyTensor(format: .f8E4M3, shape: weight.shape, source: QuantizedCodes(quantizer: self)),
      scale: ScaleGrid(scales, granularity))
    result.cacheScale = weight.cacheScale
    return result
  }

  fileprivate var rowMultiple: Int { if case .block(let rows, _) = granularity { rows } else { 1 } }
  private var length: Int { weight.values.rowLength }
  private var searchPowers: [Float]? { rule.search == .outputError ? powers : nil }
  private var gridColumns: Int { granularity.gridShape(of: weight.shape)[1] }
}

// MARK: Scales

extension WeightQuantizer {
  /// The scales of rows of the grid.
  fileprivate func scales(of bands: Range<Int>) throws -> [Float] {
    let columns = gridColumns
    let range = bands.lowerBound * columns..<bands.upperBound * columns
    let known = state.withLock { Array($0.scales[range]) }
    guard known.contains(where: \.isNaN) else { return known }
    var scales: [Float] = []
    if let shared {
      scales = [try shared.value()]
    } else {
      for band in bands { scales += try bandScales(band) }
    }
    let found = scales
    state.withLock { $0.scales.replaceSubrange(range, with: found) }
    return scales
  }

  /// All scales, on all cores.
  fileprivate func prepareScales() throws {
    guard shared == nil else {
      _ = try scales(of: 0..<1)
      return
    }
    let rows = granularity.gridShape(of: weight.shape)[0]
    let panel = max(1, weight.values.panelRowCount / granularity.block.rows)
    try parallelChunks(of: rows, size: panel) { _ = try self.scales(of: $0) }
  }

  fileprivate func prepareCodes() throws {
    if shared != nil { _ = try scales(of: 0..<1) }
  }

  private func bandScales(_ band: Int) throws -> [Float] {
    let size = granularity.block.rows
    let rows = band * size..<min((band + 1) * size, weight.values.rowCount)
    var maxima = [Float](repeating: 0, count: gridColumns)
    try weight.forEachRow(rows) { index, row in
      try forEachSegment(row) { column, segment in
        maxima[column] = max(maxima[column], try finiteMaximum(of: segment, row: index, name: name))
      }
    }
    let candidates = try maxima.map { $0 > 0 ? try rule.candidates(maximum: $0, name: name) : [] }
    guard candidates.contains(where: { !$0.isEmpty }) else {
      return try maxima.map { try rule.scale(maximum: $0, name: name) }
    }
    var errors = candidates.map { [Double](repeating: 0, count: $0.count) }
    try weight.forEachRow(rows) { _, row in
      forEachSegment(row) { column, segment in
        let start = column * granularity.block.columns
        addErrors(of: segment, candidates[column], weightedBy: searchPowers, from: start, to: &errors[column])
      }
    }
    return try maxima.indices.map { column in
      candidates[column].isEmpty
        ? try rule.scale(maximum: maxima[column], name: name) : best(of: candidates[column], errors: errors[column])
    }
  }

  /// The scale of a single row, whose values are at hand.
  private func rowScale(_ index: Int, _ row: UnsafeBufferPointer<Float>) throws -> Float {
    let maximum = try finiteMaximum(of: row, row: index, name: name)
    let candidates = maximum > 0 ? try rule.candidates(maximum: maximum, name: name) : []
    guard !candidates.isEmpty else { return try rule.scale(maximum: maximum, name: name) }
    var errors = [Double](repeating: 0, count: candidates.count)
    addErrors(of: row, candidates, weightedBy: searchPowers, from: 0, to: &errors)
    return best(of: candidates, errors: errors)
  }

  private func forEachSegment<Failure: Error>(
    _ row: UnsafeBufferPointer<Float>, _ body: (Int, UnsafeBufferPointer<Float>) throws(Failure) -> Void
  ) throws(Failure) {
    let width = granularity.block.columns
    var column = 0
    var start = 0
    while start < row.count {
      let end = min(start + width, row.count)
      try body(column, UnsafeBufferPointer(rebasing: row[start..<end]))
      column += 1
      start = end
    }
  }
}

// MARK: Codes

extension WeightQuantizer {
  fileprivate func writeCodes(of rows: Range<Int>, into codes: UnsafeMutableRawBufferPointer) throws {
    var sums = [QuantizationSums](repeating: QuantizationSums(), count: rows.count)
    var outputs = [OutputSums](repeating: OutputSums(), count: powers == nil ? 0 : rows.count)
    if granularity == .row {
      var scales = state.withLock { Array($0.scales[rows]) }
      try weight.forEachRow(rows) { index, row in
        let place = index - rows.lowerBound
        if scales[place].isNaN { scales[place] = try rowScale(index, row) }
        sums[place] = quantize(row, scales[place], into: codes, at: place * length)
        if let powers { outputs[place].add(row, scales[place], powers, from: 0) }
      }
      let found = scales
      state.withLock { $0.scales.replaceSubrange(rows, with: found) }
    } else {
      let size = granularity.block.rows
      let first = rows.lowerBound / size
      let scales = try scales(of: first..<(rows.upperBound - 1) / size + 1)
      let columns = gridColumns
      try weight.forEachRow(rows) { index, row in
        let place = index - rows.lowerBound
        var offset = place * length
        forEachSegment(row) { column, segment in
          let scale = scales[(index / size - first) * columns + column]
          sums[place].add(quantize(segment, scale, into: codes, at: offset))
          if let powers { outputs[place].add(segment, scale, powers, from: offset - place * length) }
          offset += segment.count
        }
      }
    }
    let (found, foundOutputs) = (sums, outputs)
    state.withLock { state in
      state.sums.replaceSubrange(rows, with: found)
      if !foundOutputs.isEmpty { state.outputs.replaceSubrange(rows, with: foundOutputs) }
    }
  }

  private func quantize(
    _ values: UnsafeBufferPointer<Float>, _ scale: Float, into codes: UnsafeMutableRawBufferPointer, at offset: Int
  ) -> QuantizationSums {
    Float8E4M3.quantize(
      values, scale: scale, rounding: rounding,
      into: UnsafeMutableRawBufferPointer(rebasing: codes[offset..<offset + values.count]))
  }

  /// What quantization cost, for each row; quantizes what nobody has asked for yet.
  func measured() throws -> [QuantizationSums] {
    let sums = state.withLock { $0.sums }
    guard sums.contains(where: \.noise.isNaN) else { return sums }
    let codes = quantized.values
    try prepareCodes()
    try parallelChunks(of: codes.rowCount, size: codes.panelRowCount) { rows in try codes.withRows(rows) { _ in } }
    return state.withLock { $0.sums }
  }
}

extension WeightQuantizer {
  /// What `measured` found of the output of each row; empty if nobody asked for it.
  var measuredOutputs: [OutputSums] { state.withLock { $0.outputs } }
}

/// Signal and error of an output, in multiples of the largest power of an input channel.
struct OutputSums: Sendable {
  private(set) var signal = 0.0
  private(set) var noise = 0.0

  mutating func add(_ values: UnsafeBufferPointer<Float>, _ scale: Float, _ powers: [Float], from start: Int) {
    var errors = [0.0, 0.0]
    // A scale beyond all numbers makes every code zero, so that its error is the signal.
    addErrors(of: values, [scale, 1e30], weightedBy: powers, from: start, to: &errors)
    noise += errors[0]
    signal += errors[1]
  }
}

/// The codes of a weight.
struct QuantizedCodes: TensorSource {
  let quantizer: WeightQuantizer

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try quantizer.withCodes(rows, body)
  }

  func prepare() throws { try quantizer.prepareCodes() }
  var rowMultiple: Int { quantizer.rowMultiple }
}

/// Their scales.
struct QuantizedScales: TensorSource {
  let quantizer: WeightQuantizer

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try quantizer.withScales(rows, body)
  }

  func prepare() throws { try quantizer.prepareScales() }
}

extension WeightQuantizer {
  fileprivate func withCodes(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard !rows.isEmpty else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    try withUnsafeTemporaryAllocation(byteCount: rows.count * length, alignment: 64) { codes in
      try writeCodes(of: rows, into: codes)
      try body(UnsafeRawBufferPointer(codes))
    }
  }

  fileprivate func withScales(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard !rows.isEmpty else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let codec = rule.format.codec!
    try scales(of: rows).withUnsafeBufferPointer { values in
      try withUnsafeTemporaryAllocation(byteCount: rule.format.byteCount(of: values.count)!, alignment: 4) { bytes in
        codec.encode(values, into: bytes)
        try body(UnsafeRawBufferPointer(bytes))
      }
    }
  }
}
