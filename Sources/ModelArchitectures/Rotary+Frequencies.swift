#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension Rotary {
  /// Angle per position of each rotated pair, `dimension / 2` of them: base^(−2i/dimension), stretched by the scaling.
  public var frequencies: [Double] {
    zip(baseFrequencies, frequencyDivisors).map { $0 / $1 }
  }

  /// What divides each frequency: all one without scaling. For Llama 3 this is what GGUF stores as `rope_freqs.weight`.
  public var frequencyDivisors: [Double] {
    switch scaling {
    case .none: return baseFrequencies.map { _ in 1 }
    case .linear(let factor): return baseFrequencies.map { _ in factor }
    case .llama3(let factor, let low, let high, let original):
      return baseFrequencies.map { frequency in
        Self.llama3Divisor(
          wavelength: 2 * Double.pi / frequency, factor: factor, low: low, high: high, original: Double(original))
      }
    }
  }

  private var baseFrequencies: [Double] {
    (0..<dimension / 2).map { pow(base, -2 * Double($0) / Double(dimension)) }
  }

  // Wavelengths beyond original/low are stretched by the factor, those under original/high kept, the rest interpolated.
  private static func llama3Divisor(
    wavelength: Double, factor: Double, low: Double, high: Double, original: Double
  ) -> Double {
    if wavelength < original / high { return 1 }
    if wavelength > original / low { return factor }
    let smooth = (original / wavelength - low) / (high - low)
    return 1 / ((1 - smooth) / factor + smooth)
  }
}
