import Foundation
import Testing

@testable import ModelCompute

struct LogitDivergenceTests {
  private static let (rows, size) = (5, 37)

  private func logits(_ seed: UInt64, columns: Int = size) -> Matrix {
    var generator = SeededGenerator(state: seed)
    return Matrix(rows: Self.rows, columns: columns, generator.values(Self.rows * columns, in: -4...4))
  }

  private func divergence(
    _ student: Matrix, _ teacher: Matrix, _ kind: LogitDivergence.Kind = .forwardKL, temperature: Float = 1
  ) throws -> (loss: Double, gradient: Matrix) {
    let gradient = student.copy()
    let loss = LogitDivergence(
      kind, temperature: temperature, over: Self.rows, from: .logits { teacher.view(rows: $0).copy() })
    // Panels add up to the whole.
    let first = try loss.evaluate(gradient.view(rows: 0..<2), rows: 0..<2)
    return (first + (try loss.evaluate(gradient.view(rows: 2..<Self.rows), rows: 2..<Self.rows)), gradient)
  }

  /// Closed forms in double precision.
  private func expected(
    _ student: [Float], _ teacher: [Float], _ kind: LogitDivergence.Kind, _ temperature: Double
  ) -> Double {
    func probabilities(_ logits: [Float]) -> [Double] {
      let powers = logits.map { exp(Double($0) / temperature) }
      return powers.map { $0 / powers.reduce(0, +) }
    }
    func divergence(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) } }
    let (s, t) = (probabilities(student), probabilities(teacher))
    switch kind {
    case .forwardKL: return temperature * temperature * divergence(t, s)
    case .reverseKL: return temperature * temperature * divergence(s, t)
    case .jensenShannon(let beta):
      let b = Double(beta)
      let m = zip(t, s).map { b * $0 + (1 - b) * $1 }
      return temperature * temperature * (b * divergence(t, m) + (1 - b) * divergence(s, m))
    }
  }

  @Test(arguments: [LogitDivergence.Kind.forwardKL, .reverseKL, .jensenShannon(beta: 0.3)], [1, 2.5] as [Float])
  func valuesAndSlopesAreThoseOfTheClosedForm(_ kind: LogitDivergence.Kind, _ temperature: Float) throws {
    let (student, teacher) = (logits(1), logits(2))
    let found = try divergence(student, teacher, kind, temperature: temperature)
    func mean(_ student: Matrix) -> Double {
      (0..<Self.rows).reduce(0.0) {
        $0 + expected(Array(student[$1]), Array(teacher[$1]), kind, Double(temperature)) / Double(Self.rows)
      }
    }
    #expect(abs(found.loss - mean(student)) < 3e-6)
    for index in stride(from: 0, to: student.count, by: 7) {
      let (up, down) = (student.copy(), student.copy())
      up.values[index] += 0.01
      down.values[index] -= 0.01
      let slope = (mean(up) - mean(down)) / Double(up.values[index] - down.values[index])
      #expect(abs(Double(found.gradient.values[index]) - slope) < 1e-5)
    }
  }

  @Test func vocabulariesOfDifferentSizeMeetInWhatTheyShare() throws {
    let (student, teacher) = (logits(3), logits(4, columns: 50))
    let shared = Matrix(rows: Self.rows, columns: Self.size)
    for row in 0..<Self.rows { for column in 0..<Self.size { shared[row][column] = teacher[row][column] } }
    #expect(try divergence(student, teacher).loss == divergence(student, shared).loss)
    let back = try divergence(teacher, student)
    #expect(abs(back.loss - (try divergence(shared, student).loss)) < 1e-7)
    #expect(back.gradient[0][Self.size...].allSatisfy { $0 == 0 })
  }

  @Test func theLikeliestTokensSayLessThanAllAndAllSayEverything() throws {
    let (student, teacher) = (logits(5), logits(6))
    let full = try divergence(student, teacher)
    var last = 0.0
    for limit in [1, 4, 16, 36, 37] {
      let known = (0..<Self.rows).map { TopProbabilities(ofLogits: teacher[$0], limit: limit) }
      let gradient = student.copy()
      let loss = LogitDivergence(over: Self.rows, from: .top { Array(known[$0]) })
      let found = try loss.evaluate(gradient, rows: 0..<Self.rows)
      #expect(found > last - 1e-7 && found < full.loss + 1e-6)
      last = found
      for row in 0..<Self.rows {
        #expect(abs(known[row].probabilities.reduce(known[row].tail, +) - 1) < 1e-6)
        // Gradients of a softmax add up to nothing.
        #expect(abs(gradient[row].reduce(0, +)) < 2e-6)
      }
      guard limit >= 36 else { continue }
      #expect(abs(found - full.loss) < 1e-6)
      #expect(normalisedError(gradient.values, full.gradient.values) < 1e-10)
    }
  }

  @Test func theSlopeOfTheLikeliestTokensIsThatOfTheirLoss() throws {
    let (student, teacher) = (logits(7), logits(8))
    let known = (0..<Self.rows).map { TopProbabilities(ofLogits: teacher[$0], limit: 5) }
    func loss(_ logits: Matrix) throws -> Double {
      try LogitDivergence(over: Self.rows, from: .top { Array(known[$0]) }).evaluate(logits, rows: 0..<Self.rows)
    }
    let gradient = student.copy()
    _ = try loss(gradient)
    for index in stride(from: 3, to: student.count, by: 5) {
      let (up, down) = (student.copy(), student.copy())
      up.values[index] += 0.02
      down.values[index] -= 0.02
      let slope = (try loss(up) - loss(down)) / 0.04
      #expect(abs(Double(gradient.values[index]) - slope) < 2e-5)
    }
  }
}
