internal import ModelCheckpoints
internal import Synchronization
internal import TensorFormats

/// One scale for a whole matrix, or for several that an engine runs as one: a reduction over all their values, made once and kept.
final class SharedScale: Sendable {
  private let members: [(weight: Weight, name: String)]
  private let rule: ScaleRule
  /// How much each column counts.
  private let powers: [Float]?
  private let memo = Mutex<Float?>(nil)

  init(_ members: [(weight: Weight, name: String)], rule: ScaleRule, powers: [Float]?) {
    self.members = members
    self.rule = rule
    self.powers = powers
  }

  func value() throws -> Float {
    try memo.withLock { memo in
      if let memo { return memo }
      let scale = try computed()
      memo = scale
      return scale
    }
  }

  private func computed() throws -> Float {
    let maxima = try members.map { (value: try Self.maximum(of: $0.weight, name: $0.name), name: $0.name) }
    guard let (maximum, name) = maxima.max(by: { $0.value < $1.value }) else {
      return try rule.scale(maximum: 0, name: "")
    }
    let candidates = maximum > 0 ? try rule.candidates(maximum: maximum, name: name) : []
    guard !candidates.isEmpty else { return try rule.scale(maximum: maximum, name: name) }
    var errors = [Double](repeating: 0, count: candidates.count)
    for member in members {
      let parts = try Self.parts(of: member.weight) { rows in
        var sums = [Double](repeating: 0, count: candidates.count)
        try member.weight.forEachRow(rows) { _, row in
          addErrors(of: row, candidates, weightedBy: powers, from: 0, to: &sums)
        }
        return sums
      }
      for part in parts { for index in errors.indices { errors[index] += part[index] } }
    }
    return best(of: candidates, errors: errors)
  }

  private static func maximum(of weight: Weight, name: String) throws -> Float {
    try parts(of: weight) { rows in
      var result: Float = 0
      try weight.forEachRow(rows) { index, row in
        result = max(result, try finiteMaximum(of: row, row: index, name: name))
      }
      return result
    }.max() ?? 0
  }

  private static func parts<Result: Sendable>(
    of weight: Weight, _ body: @Sendable (Range<Int>) throws -> Result
  ) throws -> [Result] {
    let (count, panel) = (weight.values.rowCount, weight.values.panelRowCount)
    return try parallelMap(of: (count + panel - 1) / panel) { part in
      try body(part * panel..<min((part + 1) * panel, count))
    }
  }
}

/// The largest magnitude. Throws for a row that has something else than numbers.
func finiteMaximum(of row: UnsafeBufferPointer<Float>, row index: Int, name: String) throws -> Float {
  let maximum = absoluteMaximum(of: row)
  guard maximum.isFinite else {
    throw CompressionError(.nonFiniteWeight, "tensor '\(name)' has a value in row \(index) that is not finite")
  }
  return maximum.value
}

/// Adds the squared error of each candidate scale over a piece of a row.
///
/// - Parameters:
///   - powers: how much each column counts; nil if all do alike.
///   - start: the column that the piece begins with.
func addErrors(
  of row: UnsafeBufferPointer<Float>, _ candidates: [Float], weightedBy powers: [Float]?, from start: Int,
  to sums: inout [Double]
) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: candidates.count) { errors in
    errors.initialize(repeating: 0)
    candidates.withUnsafeBufferPointer { candidates in
      guard let powers else { return Float8E4M3.addErrors(of: row, scales: candidates, to: errors) }
      powers.withUnsafeBufferPointer {
        let part = UnsafeBufferPointer(rebasing: $0[start..<start + row.count])
        Float8E4M3.addErrors(of: row, weightedBy: part, scales: candidates, to: errors)
      }
    }
    for index in candidates.indices { sums[index] += Double(errors[index]) }
  }
}

extension Weight {
  /// Calls `body` with the numbers of each row in turn. Plain values are decoded a row at a time, so that a row is still in the cache
  /// when it is used.
  func forEachRow(_ rows: Range<Int>, _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void) throws {
    let length = values.rowLength
    guard scale == nil, let codec = format.codec, let size = format.byteCount(of: length) else {
      return try withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * length) { numbers in
        try decode(rows: rows, into: numbers)
        for (index, row) in rows.enumerated() {
          try body(row, UnsafeBufferPointer(rebasing: numbers[index * length..<(index + 1) * length]))
        }
      }
    }
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: length) { numbers in
      try values.withRows(rows) { bytes in
        for (index, row) in rows.enumerated() {
          codec.decode(UnsafeRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size]), into: numbers)
          try body(row, UnsafeBufferPointer(numbers))
        }
      }
    }
  }
}
