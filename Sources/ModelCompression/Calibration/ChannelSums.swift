internal import ModelCompute

/// Sums over the tokens of one sequence for some neighbouring channels, and how often each bit pattern of a magnitude occurred.
struct ChannelSums: Sendable {
  /// Rows that are summed in F32 before they are added in double: exact to about a millionth, at the speed of F32.
  private static let rowsAtOnce = 16

  let columns: Range<Int>
  private(set) var values: [Double]
  private(set) var magnitudes: [Double]
  private(set) var squares: [Double]
  /// NaN where any value is NaN.
  private(set) var maxima: [Float]
  private(set) var patterns: [UInt32]

  /// - Parameters:
  ///   - matrix: tokens × channels
  ///   - rows: the tokens of the sequence.
  init(_ matrix: Matrix, rows: Range<Int>, columns: Range<Int>) {
    self.columns = columns
    values = [Double](repeating: 0, count: columns.count)
    (magnitudes, squares) = (values, values)
    maxima = [Float](repeating: 0, count: columns.count)
    patterns = Self.countPatterns(matrix, rows: rows, columns: columns)
    var sums = [Float](repeating: 0, count: 4 * columns.count)
    for start in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.rowsAtOnce) {
      let first = UnsafePointer(matrix[start].baseAddress! + columns.lowerBound)
      sumChannels(
        first, rowCount: min(Self.rowsAtOnce, rows.upperBound - start), columns: columns.count,
        stride: matrix.columns, into: &sums)
      add(sums)
    }
  }

  private mutating func add(_ sums: [Float]) {
    let width = columns.count
    for column in 0..<width {
      values[column] += Double(sums[column])
      magnitudes[column] += Double(sums[width + column])
      squares[column] += Double(sums[2 * width + column])
      maxima[column] = Float(bitPattern: max(maxima[column].bitPattern, sums[3 * width + column].bitPattern))
    }
  }

  /// Two values at a time into tables of their own, so that equal neighbours do not wait for each other.
  private static func countPatterns(_ matrix: Matrix, rows: Range<Int>, columns: Range<Int>) -> [UInt32] {
    let size = MagnitudeHistogram.patternCount
    let (shift, mask) = (UInt64(MagnitudeHistogram.patternShift), UInt64(size - 1))
    var tables = [UInt32](repeating: 0, count: 2 * size)
    tables.withUnsafeMutableBufferPointer { tables in
      for row in rows {
        let values = UnsafeMutableBufferPointer(rebasing: matrix[row][columns])
        let start = UnsafeRawPointer(values.baseAddress!)
        for pair in 0..<values.count / 2 {
          let bits = start.loadUnaligned(fromByteOffset: 8 * pair, as: UInt64.self)
          tables[Int(truncatingIfNeeded: bits >> shift & mask)] &+= 1
          tables[size + Int(truncatingIfNeeded: bits >> (shift + 32) & mask)] &+= 1
        }
        if !values.count.isMultiple(of: 2) {
          tables[Int(values[values.count - 1].magnitude.bitPattern >> UInt32(shift))] &+= 1
        }
      }
      for index in 0..<size { tables[index] &+= tables[size + index] }
    }
    return Array(tables[..<size])
  }
}
