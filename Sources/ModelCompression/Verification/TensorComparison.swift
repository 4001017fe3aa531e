#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// How far the values of one weight are from those of another.
public struct TensorComparison: Sendable, Codable {
  public let name: String
  public let shape: [Int]
  public let maximumError: Double
  /// ‖a − b‖ ÷ ‖a‖
  public let relativeError: Double
  /// Signal to quantization noise, 10 log₁₀(‖a‖² ÷ ‖a − b‖²), in decibels; nil if there is no difference.
  public let signalToNoise: Double?
  public let cosine: Double

  public var isExact: Bool { maximumError == 0 }
}

/// Sums over the elements of two tensors, in double.
struct ErrorSums {
  var squares = 0.0
  var otherSquares = 0.0
  var products = 0.0
  var errorSquares = 0.0
  var maximumError = 0.0

  mutating func add(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) {
    for index in a.indices {
      let (x, y) = (Double(a[index]), Double(b[index]))
      let error = x - y
      squares += x * x
      otherSquares += y * y
      products += x * y
      errorSquares += error * error
      // Written so that NaN counts as the largest error.
      if !(abs(error) <= maximumError) { maximumError = error.isNaN ? .infinity : abs(error) }
    }
  }

  mutating func add(_ other: ErrorSums) {
    squares += other.squares
    otherSquares += other.otherSquares
    products += other.products
    errorSquares += other.errorSquares
    maximumError = max(maximumError, other.maximumError)
  }

  /// ‖a − b‖² ÷ ‖a‖²
  var normalizedError: Double { errorSquares == 0 ? 0 : errorSquares / squares }

  /// 1 for two zero vectors, 0 for one.
  var cosine: Double {
    let norm = (squares * otherSquares).squareRoot()
    return norm > 0 ? products / norm : errorSquares == 0 ? 1 : 0
  }

  func comparison(name: String, shape: [Int]) -> TensorComparison {
    TensorComparison(
      name: name, shape: shape, maximumError: maximumError, relativeError: normalizedError.squareRoot(),
      signalToNoise: errorSquares == 0 ? nil : 10 * log10(squares / errorSquares),
      cosine: cosine)
  }
}
