internal import ModelArchitectures
internal import ModelCompute

/// Gathers what one block does, while it runs.
struct StatisticsCollector {
  /// Statistics of the sites of the block.
  private(set) var sites: [Site: ChannelStatistics] = [:]
  /// Sum over tokens of the cosine between what goes in and what comes out.
  private(set) var cosines = 0.0
  private var blockInput: Matrix?

  static let observed = Set(ActivationStatistics.sites + [.blockInput, .blockOutput])

  /// - Parameter sequences: rows of each sequence within the observation.
  mutating func add(_ site: Site, _ values: Matrix, sequences: [Range<Int>]) {
    switch site {
    case .blockInput:
      blockInput = values
    case .blockOutput:
      if let blockInput { cosines += cosineSum(blockInput, values) }
      blockInput = nil
    default:
      sites[site, default: ChannelStatistics(channelCount: values.columns)].add(values, sequences: sequences)
    }
  }
}

/// Sum over rows of the cosine between rows of two matrices. A zero row counts as unchanged.
func cosineSum(_ a: Matrix, _ b: Matrix) -> Double {
  precondition(a.rows == b.rows && a.columns == b.columns)
  return parallelMap(of: a.rows, chunk: 256) { cosine(a[$0], b[$0]) }.reduce(0, +)
}

/// 1 for two zero vectors, 0 for one, NaN if a number of either is not finite.
func cosine(_ a: UnsafeMutableBufferPointer<Float>, _ b: UnsafeMutableBufferPointer<Float>) -> Double {
  var (products, squares, others) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)
  let (x, y) = (UnsafeRawPointer(a.baseAddress), UnsafeRawPointer(b.baseAddress))
  let whole = a.count & ~7
  if let x, let y {
    for start in stride(from: 0, to: whole, by: 8) {
      let u = SIMD8<Double>(x.loadUnaligned(fromByteOffset: 4 * start, as: SIMD8<Float>.self))
      let v = SIMD8<Double>(y.loadUnaligned(fromByteOffset: 4 * start, as: SIMD8<Float>.self))
      products += u * v
      squares += u * u
      others += v * v
    }
  }
  var (product, square, other) = (products.sum(), squares.sum(), others.sum())
  for index in whole..<a.count {
    let (u, v) = (Double(a[index]), Double(b[index]))
    product += u * v
    square += u * u
    other += v * v
  }
  let norm = (square * other).squareRoot()
  guard norm.isFinite else { return .nan }
  return norm > 0 ? product / norm : square == other ? 1 : 0
}
