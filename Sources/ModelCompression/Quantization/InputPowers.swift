#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
public import ModelArchitectures

/// How much each input channel of a layer's matrices counts in what they give: its mean square, which the error of a weight is multiplied
/// with on the way to the output.
///
/// The error that quantizing a row w of a matrix makes in its output is Σᵢⱼ dᵢ dⱼ E[xᵢxⱼ], with d the errors of the weights; of the second moment of
/// x this is the diagonal. Only ratios matter, and roughly, so that a channel is a byte: eighths of an octave below the largest of the
/// site. A recipe keeps them, and what it makes depends on nothing else.
public struct InputPowers: Sendable, Codable, Equatable {
  /// For each layer and site, by name, two hexadecimal digits a channel: 255 for the largest, 8 less for each octave below, 0 for nothing.
  private var layers: [[String: String]]

  /// - Parameter layers: mean squares of the channels of each site.
  public init(layers: [[Site: [Double]]]) {
    self.layers = layers.map { sites in
      Dictionary(uniqueKeysWithValues: sites.map { ($0.key.rawValue, Self.text(of: $0.value)) })
    }
  }

  public init(_ statistics: ActivationStatistics) {
    self.init(layers: statistics.layers.map { sites in sites.mapValues(\.meanSquares) })
  }

  var layerCount: Int { layers.count }

  /// A factor for each channel, at most 1; nil if nothing, or nonsense, is known of the site.
  func weights(at site: Site, layer: Int) -> [Float]? {
    guard layers.indices.contains(layer), let text = layers[layer][site.rawValue] else { return nil }
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count.isMultiple(of: 2), digits.count == text.utf8.count else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { Self.factor(of: digits[$0] << 4 | digits[$0 + 1]) }
  }

  // MARK: Codes

  private static func text(of meanSquares: [Double]) -> String {
    let largest = meanSquares.max() ?? 0
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: meanSquares.flatMap { value -> [UInt8] in
        let code = value > 0 ? max(0, 255 - Int((8 * log2(largest / value)).rounded().clamped(to: 0...255))) : 0
        return [digits[code >> 4], digits[code & 15]]
      }, as: UTF8.self)
  }

  /// 2^((code − 255) ÷ 8), the same bits everywhere.
  private static func factor(of code: Int) -> Float {
    guard code > 0 else { return 0 }
    let eighths = 255 - code
    return eighth[eighths & 7] * Float(sign: .plus, exponent: -(eighths >> 3), significand: 1)
  }

  private static let eighth: [Float] = [
    1, 0.917_004_043_204_671_2, 0.840_896_415_253_714_5, 0.771_105_412_703_970_4, 0.707_106_781_186_547_6,
    0.648_419_777_325_504_8, 0.594_603_557_501_360_5, 0.545_253_866_332_628_8,
  ]
}

extension Double {
  fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
    min(max(self, range.lowerBound), range.upperBound)
  }
}
