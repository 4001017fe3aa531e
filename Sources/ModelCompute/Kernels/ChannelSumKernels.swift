internal import CTensorKernels
internal import TensorFormats

/// Sums over a few rows of each column: of the values, of their magnitudes, of their squares; and the largest magnitude, as its bit
/// pattern, in which NaN is larger than any number.
///
/// - Parameters:
///   - rows: the first value of the first row; `stride` values from one row to the next.
///   - sums: `4 × columns` values, written: sums, sums of magnitudes, sums of squares, and the patterns of the largest.
package func sumChannels(
  _ rows: UnsafePointer<Float>, rowCount: Int, columns: Int, stride: Int, into sums: UnsafeMutablePointer<Float>
) {
  sumChannels(rows, rowCount: rowCount, columns: columns, stride: stride, into: sums, at: .current)
}

func sumChannels(
  _ rows: UnsafePointer<Float>, rowCount: Int, columns: Int, stride: Int, into sums: UnsafeMutablePointer<Float>,
  at level: InstructionLevel
) {
  var shape = (rowCount, stride)
  sumWholeVectors(columns, rows, &shape, sums, at: level)
  for column in columns & ~15..<columns {
    var (value, magnitude, square, largest) = (Float(0), Float(0), Float(0), UInt32(0))
    for row in 0..<rowCount {
      let x = rows[row * stride + column]
      value += x
      magnitude += x.magnitude
      square += x * x
      largest = max(largest, x.magnitude.bitPattern)
    }
    sums[column] = value
    sums[columns + column] = magnitude
    sums[2 * columns + column] = square
    sums[3 * columns + column] = Float(bitPattern: largest)
  }
}

// x: rows of F32    shape: number of rows, values from row to row    y: 4 × columns F32; columns beyond a multiple of 16 are left
@_cdecl("mtconv_compute_channel_sums") @inline(__always)
func channelSumsBody(
  _ columns: Int, _ x: UnsafeRawPointer, _ shape: UnsafeRawPointer, _ y: UnsafeMutableRawPointer
) {
  let rowCount = shape.load(as: Int.self)
  let stride = 4 * shape.load(fromByteOffset: MemoryLayout<Int>.stride, as: Int.self)
  let mask = SIMD16<Int32>(repeating: 0x7FFF_FFFF)
  var column = 0
  while column + 16 <= columns {
    var from = x + 4 * column
    var values = Lanes(repeating: 0)
    var magnitudes = values
    var squares = values
    var largest = SIMD16<Int32>(repeating: 0)
    var row = 0
    while row < rowCount {
      let value = from.loadUnaligned(as: Lanes.self)
      let pattern = unsafeBitCast(value, to: SIMD16<Int32>.self) & mask
      let square = value * value
      values += value
      magnitudes += unsafeBitCast(pattern, to: Lanes.self)
      squares += square
      largest.replace(with: pattern, where: largest .< pattern)
      from += stride
      row += 1
    }
    let to = y + 4 * column
    to.storeBytes(of: values, as: Lanes.self)
    to.storeBytes(of: magnitudes, toByteOffset: 4 * columns, as: Lanes.self)
    to.storeBytes(of: squares, toByteOffset: 8 * columns, as: Lanes.self)
    to.storeBytes(of: largest, toByteOffset: 12 * columns, as: SIMD16<Int32>.self)
    column += 16
  }
}

@inline(never)
private func sumWholeVectors(
  _ columns: Int, _ x: UnsafeRawPointer, _ shape: UnsafeRawPointer, _ y: UnsafeMutableRawPointer,
  at level: InstructionLevel
) {
  #if arch(x86_64)
    switch level {
    case .v4: mtconv_compute_channel_sums_v4(columns, x, shape, y)
    case .v3: mtconv_compute_channel_sums_v3(columns, x, shape, y)
    case .baseline: channelSumsBody(columns, x, shape, y)
    }
  #else
    channelSumsBody(columns, x, shape, y)
  #endif
}
