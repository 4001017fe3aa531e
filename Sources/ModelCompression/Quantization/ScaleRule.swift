internal import TensorFormats

/// How a scale follows from the values that share it, rounded to the format it is stored in.
struct ScaleRule: Sendable {
  let format: ElementFormat
  let search: QuantizationScheme.Search

  /// Largest magnitude ÷ 448; where that is nothing, the epsilon of the format, as in compressed-tensors.
  func scale(maximum: Float) -> Float { positive(rounded(maximum / Float8E4M3.maximum)) }

  /// What a search compares. E4M3 repeats itself in every power of two, so an octave of scales has all phases that values can have
  /// against the grid; a little below the first they are cut off.
  func candidates(maximum: Float) -> [Float] {
    switch search {
    case .none: return []
    case .meanSquaredError, .outputError:
      let scale = maximum / Float8E4M3.maximum
      return [self.scale(maximum: maximum)] + Self.factors.map { positive(rounded(scale * $0)) }
    }
  }

  private static let factors: [Float] = (0..<64).map { step in 0.875 + 1.125 * Float(step) / 63 }

  private func positive(_ scale: Float) -> Float {
    if scale > 0 { return scale }
    return format == .bf16 ? 0x1p-7 : format == .f16 ? 0x1p-10 : 0x1p-23
  }

  private func rounded(_ value: Float) -> Float {
    switch format {
    case .bf16: BFloat16Bits.rounded(value)
    case .f16: Float16Bits.decode(Float16Bits.encode(value))
    default: value
    }
  }
}

/// The candidate with the least error; the first of equals.
func best(of candidates: [Float], errors: [Double]) -> Float {
  zip(candidates, errors).min { $0.1 < $1.1 }!.0
}
