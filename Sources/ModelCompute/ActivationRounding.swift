internal import TensorFormats

/// How an engine rounds activations to FP8 E4M3: which of them share a scale, and where it comes from.
///
/// Every number x becomes scale · code, with the code nearest to x ÷ scale and saturated at ±448; scales are F32. The formulas are those of
/// vLLM and compressed-tensors, which differ from each other in the last place of a quotient and in what they do with nearly nothing.
public enum ActivationRounding: Sendable, Hashable {
  /// One scale for all, known before.
  case calibrated(scale: Float)
  /// A scale for each token: max|x| ÷ 448, at least 1 ÷ (448 · 512) as in vLLM.
  case perToken
  /// A scale for so many neighbouring channels of a token: max(max|x|, 1e-10) ÷ 448. The last group of a token may be smaller.
  case perGroup(Int)
  /// The same with a power of two: 2^(⌊log₂ max|x|⌋ − 8), as the OCP Microscaling formats have it.
  case perGroupInPowersOfTwo(Int)
  /// One scale for the tokens of a sequence. An engine takes all tokens that it runs together, whichever these are.
  case perSequence

  /// Below this, a token's scale does not fall.
  static let leastTokenScale: Float = 1 / (448 * 512)
  private static let leastGroupMaximum: Float = 1e-10

  /// Rounds `tokens × width` activations.
  ///
  /// - Parameters:
  ///   - sequences: the rows of each sequence; none stands for one sequence of all rows.
  func rounded(_ input: Matrix, sequences: [Range<Int>], workspace: Workspace?) -> Matrix {
    let output = Matrix(rows: input.rows, columns: input.columns, workspace: workspace)
    switch self {
    case .calibrated(let scale): Self.round(input, into: output, size: input.columns) { _ in scale }
    case .perToken:
      Self.round(input, into: output, size: input.columns) { values in
        max(Self.maximum(values) / Float8E4M3.maximum, Self.leastTokenScale)
      }
    case .perGroup(let size):
      Self.round(input, into: output, size: size) { values in
        max(Self.maximum(values), Self.leastGroupMaximum) / Float8E4M3.maximum
      }
    case .perGroupInPowersOfTwo(let size):
      Self.round(input, into: output, size: size) { values in
        let maximum = max(Self.maximum(values), 0x1p-118)
        return Float(sign: .plus, exponent: Int(maximum.exponent) - 8, significand: 1)
      }
    case .perSequence:
      for rows in sequences.isEmpty ? [0..<input.rows] : sequences {
        let part = input.view(rows: rows)
        let scale = max(Self.maximum(UnsafeBufferPointer(part.values)) / Float8E4M3.maximum, Self.leastTokenScale)
        Self.round(part, into: output.view(rows: rows), size: input.columns) { _ in scale }
      }
    }
    return output
  }

  /// Rounds rows in pieces of `size` values, each with a scale of its own.
  private static func round(
    _ input: Matrix, into output: Matrix, size: Int, scale: @Sendable (UnsafeBufferPointer<Float>) -> Float
  ) {
    let columns = input.columns
    forEachRowRange(rows: input.rows, columns: columns, cost: 0.3) { rows in
      for row in rows {
        for start in stride(from: 0, to: columns, by: size) {
          let part = start..<min(start + size, columns)
          let values = UnsafeBufferPointer(rebasing: input[row][part])
          Float8E4M3.round(
            values, scale: scale(values), into: UnsafeMutableBufferPointer(rebasing: output[row][part]))
        }
      }
    }
  }

  private static func maximum(_ values: UnsafeBufferPointer<Float>) -> Float { absoluteMaximum(of: values).value }
}
