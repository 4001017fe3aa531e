import Foundation
import ModelArchitectures
import TensorFormats
import Testing

@testable import ModelCompute

/// Kernels against the same formulas in double precision, at every instruction level of this processor.
struct KernelTests {
  static let exponentialTolerance = 2.0
  static let tangentTolerance = 3.0
  /// Of the largest result, where a formula cancels.
  static let activationTolerance = 4e-7

  /// Distance in units in the last place of `expected` as a float.
  private static func distance(_ found: Float, _ expected: Double) -> Double {
    abs(Double(found) - expected) / Double(Float(expected).ulp)
  }

  /// Numbers over a range, and what lies at its ends. Not a multiple of sixteen.
  private static func samples(_ range: ClosedRange<Float>, count: Int = 1003) -> [Float] {
    let width = range.upperBound - range.lowerBound
    return (0..<count).map { range.lowerBound + width * Float($0) / Float(count - 1) }
  }

  /// What a kernel makes of some numbers, which must be the same bits at every level.
  private static func results(
    of x: [Float], _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, InstructionLevel) -> Void
  ) -> [Float] {
    let all = InstructionLevel.available.map { level in
      var y = [Float](repeating: .nan, count: x.count)
      kernel(x, &y, level)
      return y
    }
    for other in all.dropFirst() { #expect(other.map(\.bitPattern) == all[0].map(\.bitPattern)) }
    return all[0]
  }

  @Test func exponentialIsAccurate() {
    // The largest score is zero, so that nothing is subtracted from the others.
    let x = Self.samples(-87.3...0) + Self.samples(-1...0)
    let y = Self.results(of: x) { x, y, level in
      y.update(from: x, count: 2006)
      _ = exponentiate(y, count: 2006, at: level)
    }
    for (x, y) in zip(x, y) { #expect(Self.distance(y, exp(Double(x))) <= Self.exponentialTolerance, "e^\(x)") }
  }

  @Test(arguments: [(16, 32, 40), (16, 37, 37), (3, 5, 9), (1, 16, 16), (0, 17, 17)])
  func channelSumsAreThoseOfTheRows(_ rows: Int, _ columns: Int, _ stride: Int) {
    let x: [Float] = (0..<max(1, rows * stride)).map { index in
      let number = (index * 7919) % 1009
      return Float(number) / 100 - 5
    }
    let all = InstructionLevel.available.map { level in
      var sums = [Float](repeating: .nan, count: 4 * columns)
      sumChannels(x, rowCount: rows, columns: columns, stride: stride, into: &sums, at: level)
      return sums
    }
    for other in all.dropFirst() { #expect(other.map(\.bitPattern) == all[0].map(\.bitPattern)) }
    for column in 0..<columns {
      let values: [Double] = (0..<rows).map { Double(x[$0 * stride + column]) }
      let squares: [Double] = values.map { $0 * $0 }
      let magnitudes: [Double] = values.map { $0.magnitude }
      let largest = magnitudes.max() ?? 0
      let expected = [values.reduce(0, +), magnitudes.reduce(0, +), squares.reduce(0, +), largest]
      for (part, sum) in expected.enumerated() {
        let error = Double(all[0][part * columns + column]) - sum
        #expect(error.magnitude <= 25e-6 * Double(max(rows, 1)))
      }
    }
  }

  @Test func theLargestMagnitudeOfAColumnWithNaNIsNaN() {
    var x = (0..<80).map { Float($0) }
    (x[21], x[38], x[3]) = (-.nan, .nan, -.infinity)
    var sums = [Float](repeating: 0, count: 80)
    sumChannels(x, rowCount: 4, columns: 20, stride: 20, into: &sums)
    #expect(sums[61].isNaN)
    #expect(sums[78].isNaN)
    #expect(sums[63] == .infinity)
    #expect(sums[60] == 60)
  }

  @Test func exponentialOfFarScoresIsZero() {
    var x: [Float] = [0, -88, -1000, -.infinity, 0]
    let (maximum, sum) = exponentiate(&x, count: 5)
    #expect(x == [1, 0, 0, 0, 1])
    #expect(maximum == 0)
    #expect(sum == 2)
  }

  @Test func softcapIsAccurate() {
    let x = Self.samples(-12...12) + Self.samples(-0.7...0.7) + [0, 1e-20, -1e-20, 300, -300]
    let y = Self.results(of: x) { softcap($0, limit: 1, into: $1, count: 2011, at: $2) }
    for (x, y) in zip(x, y) { #expect(Self.distance(y, tanh(Double(x))) <= Self.tangentTolerance, "tanh \(x)") }
  }

  @Test(arguments: Activation.allCases)
  func activationsAreAccurate(_ activation: Activation) {
    let x = Self.samples(-20...20) + [-200, 200]
    var y = [Float](repeating: .nan, count: x.count)
    activation.apply(x, into: &y, count: x.count)
    for (x, y) in zip(x, y) {
      let expected = activation.reference(Double(x))
      #expect(abs(Double(y) - expected) <= Self.activationTolerance * max(1, abs(expected)), "\(activation) of \(x)")
    }
  }

  @Test(arguments: Activation.allCases)
  func activationGradientsAreAccurate(_ activation: Activation) {
    let x = Self.samples(-12...12, count: 301).filter { $0 != 0 }
    let g = x.map { 0.5 + 0.1 * $0 }
    var y = [Float](repeating: .nan, count: x.count)
    activation.applyGradient(at: x, of: g, into: &y, count: x.count)
    for (index, x) in x.enumerated() {
      let slope = (activation.reference(Double(x) + 1e-5) - activation.reference(Double(x) - 1e-5)) / 2e-5
      let expected = Double(g[index]) * slope
      #expect(abs(Double(y[index]) - expected) <= 1e-5 * max(1, abs(expected)), "\(activation) at \(x)")
    }
  }

  @Test func trampolinedActivationsAgreeAtEveryLevel() {
    let x = Self.samples(-9...9, count: 37)
    _ = Self.results(of: x) { applySilu($0, into: $1, count: 37, level: $2) }
    _ = Self.results(of: x) { applySiluGradient(at: $0, of: $0, into: $1, count: 37, level: $2) }
    _ = Self.results(of: x) { applyGeluTanh($0, into: $1, count: 37, level: $2) }
    _ = Self.results(of: x) { applyGeluTanhGradient(at: $0, of: $0, into: $1, count: 37, level: $2) }
  }

  @Test(arguments: [1, 15, 16, 17, 100])
  func softmaxSumsToOneAndKeepsRatios(_ count: Int) {
    var generator = SeededGenerator(state: 5)
    let x = generator.values(count, in: -30...30)
    let y = Self.results(of: x) { x, y, level in
      y.update(from: x, count: count)
      softmax(y, count: count, at: level)
    }
    let powers = x.map { exp(Double($0)) }
    let total = powers.reduce(0, +)
    for (found, power) in zip(y, powers) { #expect(abs(Double(found) - power / total) < 1e-6) }
  }

  @Test func logSoftmaxIsTheLogarithmOfSoftmax() {
    var generator = SeededGenerator(state: 6)
    let logits = Matrix(rows: 3, columns: 21, generator.values(63, in: -5...5))
    let probabilities = logits.copy()
    probabilities.applySoftmax()
    logits.applyLogSoftmax()
    for (log, probability) in zip(logits.values, probabilities.values) {
      #expect(abs(exp(Double(log)) - Double(probability)) < 1e-6)
    }
  }

  @Test(arguments: [0, 1, 16, 31, 50])
  func reductionsCountEveryValueOnce(_ count: Int) {
    var generator = SeededGenerator(state: 7)
    let x = generator.values(count, in: -3...3)
    let y = generator.values(count, in: -3...3)
    let expected = zip(x, y).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    #expect(abs(Double(dot(x, y, count)) - expected) < 1e-4)
    #expect(abs(Double(sum(x, count)) - x.reduce(0.0) { $0 + Double($1) }) < 1e-4)
    let squares = x.reduce(0.0) { $0 + (Double($1) - 0.5) * (Double($1) - 0.5) }
    #expect(abs(Double(sumOfSquares(x, count, around: 0.5)) - squares) < 1e-4)
    #expect(largest(x, count) == (x.max() ?? -.infinity))
  }
}

extension Activation {
  fileprivate func reference(_ x: Double) -> Double {
    switch self {
    case .silu: x / (1 + exp(-x))
    case .gelu: x * 0.5 * (1 + erf(x / 2.0.squareRoot()))
    case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .squaredReLU: x > 0 ? x * x : 0
    }
  }
}
