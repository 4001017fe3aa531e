import Foundation
import Testing

@testable import ModelCompute

@Suite("Normal equations")
struct NormalEquationsTests {
  private static func random(_ rows: Int, _ columns: Int, _ generator: inout SeededGenerator) -> Matrix {
    Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in Float.random(in: -1...1, using: &generator) })
  }

  /// Sizes below, at and above the blocks of the factorisation.
  @Test(arguments: [(5, 3), (128, 7), (300, 70), (513, 1)], [false, true])
  func solutionHasNoGradient(size: (inputs: Int, outputs: Int), hasIntercept: Bool) throws {
    var generator = SeededGenerator(state: 3)
    let rows = 700
    let x = Self.random(rows, size.inputs, &generator)
    // Inputs of different sizes, the last one ten times the first.
    for row in 0..<rows {
      for column in 0..<size.inputs { x[row][column] *= pow(10, Float(column) / Float(size.inputs)) }
    }
    let r = Self.random(rows, size.outputs, &generator)
    let weights = (0..<rows).map { _ in Float.random(in: 0.1...2, using: &generator) }
    let equations = NormalEquations(
      inputCount: size.inputs, outputCount: size.outputs, hasIntercept: hasIntercept)
    // In two calls, as groups of sequences come.
    equations.add(x.view(rows: 0..<300), r.view(rows: 0..<300), weights: Array(weights[..<300]))
    equations.add(x.view(rows: 300..<rows), r.view(rows: 300..<rows), weights: Array(weights[300...]))
    for ridge in [1e-3, 0.3] {
      let delta = try #require(equations.solve(ridge: ridge))
      #expect((delta.rows, delta.columns) == (size.outputs, size.inputs + (hasIntercept ? 1 : 0)))
      let largest = Self.largestGradient(delta, x, r, weights, ridge: ridge)
      #expect(largest < 1e-5, "per token, of values around one")
    }
  }

  /// Of ½ Σ w |r − Δx|² + ½ Σ λⱼ |Δⱼ|², divided by the number of rows, for some of the outputs.
  private static func largestGradient(
    _ delta: Matrix, _ x: Matrix, _ r: Matrix, _ weights: [Float], ridge: Double
  ) -> Double {
    let inputs = x.columns
    var squares = [Double](repeating: 0, count: inputs)
    for row in 0..<x.rows {
      for (column, value) in x[row].enumerated() {
        squares[column] += Double(weights[row]) * Double(value) * Double(value)
      }
    }
    let mean = squares.reduce(0, +) / Double(inputs)
    var largest = 0.0
    for output in [0, r.columns - 1] {
      var gradient = [Double](repeating: 0, count: delta.columns)
      for row in 0..<x.rows {
        var rest = Double(r[row][output])
        for column in 0..<inputs { rest -= Double(delta[output][column]) * Double(x[row][column]) }
        if delta.columns > inputs { rest -= Double(delta[output][inputs]) }
        for column in 0..<inputs { gradient[column] -= Double(weights[row]) * rest * Double(x[row][column]) }
        if delta.columns > inputs { gradient[inputs] -= Double(weights[row]) * rest }
      }
      for column in 0..<inputs {
        gradient[column] += ridge * (squares[column] * mean).squareRoot() * Double(delta[output][column])
      }
      largest = max(largest, gradient.map { abs($0) }.max()! / Double(x.rows))
    }
    return largest
  }

  @Test func findsWhatMadeTheData() throws {
    var generator = SeededGenerator(state: 4)
    let x = Self.random(400, 60, &generator)
    let truth = Self.random(20, 60, &generator)
    let equations = NormalEquations(inputCount: 60, outputCount: 20)
    equations.add(x, product(x, transposed: truth))
    let delta = try #require(equations.solve(ridge: 1e-9))
    #expect(normalisedError(delta.values, truth.values) < 1e-10)
  }

  /// Pulling W′ toward W while fitting y is pulling Δ = W′ − W toward zero while fitting y − Wx.
  @Test(arguments: [false, true])
  func aCenterIsWhatTheRidgePullsToward(hasIntercept: Bool) throws {
    var generator = SeededGenerator(state: 6)
    let (x, y) = (Self.random(300, 90, &generator), Self.random(300, 40, &generator))
    let center = Self.random(40, hasIntercept ? 91 : 90, &generator)
    let rest = y.copy()
    NormalEquations.subtract(center, of: x, from: rest)
    for (row, output) in [(0, 0), (299, 39)] {
      var sum = Double(y[row][output]) - (hasIntercept ? Double(center[output][90]) : 0)
      for column in 0..<90 { sum -= Double(center[output][column]) * Double(x[row][column]) }
      #expect(abs(Double(rest[row][output]) - sum) < 1e-5)
    }
    let (whole, change) = (
      NormalEquations(inputCount: 90, outputCount: 40, hasIntercept: hasIntercept),
      NormalEquations(inputCount: 90, outputCount: 40, hasIntercept: hasIntercept)
    )
    whole.add(x, y)
    change.add(x, rest)
    let found = try #require(whole.solve(ridge: 0.1, toward: center))
    let delta = try #require(change.solve(ridge: 0.1))
    let sum = Matrix(rows: 40, columns: center.columns, zip(delta.array, center.array).map { $0 + $1 })
    #expect(normalisedError(found.values, sum.values) < 1e-10)
  }

  @Test func anInputThatIsAlwaysZeroGetsNoWeight() throws {
    var generator = SeededGenerator(state: 7)
    let (x, r) = (Self.random(100, 6, &generator), Self.random(100, 2, &generator))
    for row in 0..<100 { x[row][4] = 0 }
    let equations = NormalEquations(inputCount: 6, outputCount: 2)
    equations.add(x, r)
    let delta = try #require(equations.solve(ridge: 0.1))
    #expect(delta[0][4] == 0 && delta[1][4] == 0)
    #expect(delta.array.allSatisfy { $0.isFinite })
  }

  @Test func inputsThatAreAllZeroHaveNoSolution() {
    let equations = NormalEquations(inputCount: 4, outputCount: 2)
    equations.add(.zeros(rows: 10, columns: 4), .zeros(rows: 10, columns: 2))
    #expect(equations.solve(ridge: 0.1) == nil)
  }

  @Test func solvingTwiceGivesTheSameBits() throws {
    var generator = SeededGenerator(state: 5)
    let (x, r) = (Self.random(300, 200, &generator), Self.random(300, 90, &generator))
    let equations = NormalEquations(inputCount: 200, outputCount: 90)
    equations.add(x, r)
    let first = try #require(equations.solve(ridge: 0.1))
    _ = equations.solve(ridge: 1e-6)
    #expect(try #require(equations.solve(ridge: 0.1)).array == first.array)
  }
}
