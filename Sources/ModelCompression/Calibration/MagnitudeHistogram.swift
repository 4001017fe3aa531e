/// How often which magnitude occurred at one site, fine enough to choose a scale by percentile or by mean square error.
///
/// The bins are the same for every site and model, so that one pass is enough: every octave [2ᵏ, 2ᵏ⁺¹) from 2⁻²⁸ to 2²⁰ is cut into
/// 16 bins of equal width. Bin `16 (k + 28) + j` holds magnitudes from 2ᵏ (1 + j/16) up to, without, 2ᵏ (1 + (j + 1)/16): the
/// exponent and the first four mantissa bits of an F32. The first bin also holds everything smaller, zeros too; the last
/// everything larger, infinities and NaN.
public struct MagnitudeHistogram: Sendable, Equatable {
  public static let binCount = 768
  static let binsPerOctave = 16
  static let lowestExponent = -28

  /// Values in each bin.
  public private(set) var counts: [Int]

  public init() { counts = Array(repeating: 0, count: Self.binCount) }

  /// - Parameter counts: `binCount` of them.
  init(counts: [Int]) {
    precondition(counts.count == Self.binCount)
    self.counts = counts
  }

  public var total: Int { counts.reduce(0, +) }

  /// The smallest magnitude that belongs into a bin; of the first bin the smallest of its own octave. The edge behind the last bin
  /// is that of `binCount`.
  public static func lowerEdge(_ bin: Int) -> Double {
    let (octave, part) = bin.quotientAndRemainder(dividingBy: binsPerOctave)
    return Double(sign: .plus, exponent: octave + lowestExponent, significand: 1)
      * (1 + Double(part) / Double(binsPerOctave))
  }

  /// The bin of a magnitude.
  public static func bin(of value: Float) -> Int { bin(ofPattern: Int(value.magnitude.bitPattern >> patternShift)) }

  /// The upper edge of the bin up to which at least `share` of all values lie; 0 if there are none.
  public func percentile(_ share: Double) -> Double {
    let total = total
    guard total > 0 else { return 0 }
    let wanted = share * Double(total)
    var sum = 0
    for (bin, count) in counts.enumerated() {
      sum += count
      if Double(sum) >= wanted { return Self.lowerEdge(bin + 1) }
    }
    return Self.lowerEdge(Self.binCount)
  }

  // MARK: Counting

  /// Mantissa bits that do not choose a bin.
  static let patternShift: UInt32 = 19
  /// Bit patterns of magnitudes without those bits.
  static let patternCount = 1 << 12

  /// Adds values that were counted by their bit patterns.
  mutating func add(patterns: UnsafeBufferPointer<UInt32>) {
    for (pattern, count) in patterns.enumerated() where count > 0 { counts[Self.bin(ofPattern: pattern)] += Int(count) }
  }

  private static func bin(ofPattern pattern: Int) -> Int {
    // The pattern of 2ᵏ is 16 (k + 127).
    min(max(pattern - binsPerOctave * (127 + lowestExponent), 0), binCount - 1)
  }
}
