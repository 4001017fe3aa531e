internal import TensorFormats

/// How a scale follows from the values that share it, rounded to the format it is stored in.
struct ScaleRule: Sendable {
  let format: ElementFormat
  let search: QuantizationScheme.Search
  var rounding = QuantizationScheme.Rounding.single

  /// Largest magnitude ÷ 448; where that is nothing, the epsilon of the format, as in compressed-tensors.
  ///
  /// - Parameter name: whose values they are, for a message.
  /// - Throws: `CompressionError.nonFiniteWeight` if the format has no number so large.
  func scale(maximum: Float, name: String) throws -> Float {
    let scale = positive(rounded(maximum / Float8E4M3.maximum), maximum)
    guard scale.isFinite else {
      throw CompressionError(
        .nonFiniteWeight,
        "'\(name)' has values up to \(maximum), whose scale is beyond \(format); store what is not FP8 as bf16 or f32")
    }
    return scale
  }

  /// What a search compares. E4M3 repeats itself in every power of two, so an octave of scales has all phases that values can have
  /// against the grid; a little below the first they are cut off.
  func candidates(maximum: Float, name: String) throws -> [Float] {
    switch search {
    case .none: return []
    case .meanSquaredError, .outputError:
      let scale = maximum / Float8E4M3.maximum
      let others = Self.factors.map { positive(rounded(scale * $0), maximum) }
      return [try self.scale(maximum: maximum, name: name)] + others.filter(\.isFinite)
    }
  }

  private static let factors: [Float] = (0..<64).map { step in 0.875 + 1.125 * Float(step) / 63 }

  private func positive(_ scale: Float, _ maximum: Float) -> Float {
    if scale > 0 { return scale }
    switch format {
    // The epsilon is for values that are all zero; others, for which F16 has no scale so small, would be lost by it. The reference takes it
    // for both. BF16 and F32 have scales for all that is not zero to an engine.
    case .f16: return maximum > 0 && rounding != .compat ? 0x1p-24 : 0x1p-10
    case .bf16: return 0x1p-7
    default: return 0x1p-23
    }
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
