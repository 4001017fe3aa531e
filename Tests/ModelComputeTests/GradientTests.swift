import Foundation
import ModelArchitectures
import Testing

@testable import ModelCompute

struct GradientTests {
  private let batch = TokenBatch([[5, 0, 17, 36, 2], [7], [1, 8]])

  @Test func crossEntropyIsTheMeanOverTokensWithANextOne() throws {
    let loss = CrossEntropy(nextTokensOf: batch)
    #expect(loss.targets == [0, 17, 36, 2, nil, nil, 8, nil])
    #expect(loss.count == 5)
    var generator = SeededGenerator(state: 41)
    let logits = Matrix(rows: 8, columns: 37, generator.values(8 * 37, in: -4...4))
    let gradient = logits.copy()
    // Panels add up to the whole.
    let found =
      loss.evaluate(gradient.view(rows: 0..<3), rows: 0..<3) + loss.evaluate(gradient.view(rows: 3..<8), rows: 3..<8)
    var expected = 0.0
    for row in 0..<8 {
      guard let target = loss.targets[row] else {
        #expect(gradient[row].allSatisfy { $0 == 0 })
        continue
      }
      let total = logits[row].reduce(0.0) { $0 + exp(Double($1)) }
      expected += (log(total) - Double(logits[row][target])) / 5
      for column in 0..<37 {
        let slope = (exp(Double(logits[row][column])) / total - (column == target ? 1 : 0)) / 5
        #expect(abs(Double(gradient[row][column]) - slope) < 1e-7)
      }
    }
    #expect(abs(found - expected) < 1e-6)
  }

  @Test func gradientsOfWeightsThatAreNotTrainedAreNotMade() throws {
    let model = Model(.llama)
    let some = Gradients { $0.role == .query || $0.role == .attentionNorm }
    let loss = CrossEntropy(nextTokensOf: batch)
    _ = try model.network().accumulateGradients(of: loss, over: batch, into: some)
    let (_, all) = try model.network().gradients(of: loss, over: batch)
    #expect(Set(some.matrices.keys.map(\.role)) == [.query, .attentionNorm])
    #expect(Set(all.matrices.keys) == Set(model.weights.tensors.keys))
    for (key, matrix) in some.matrices { #expect(matrix.array == all[key]?.array) }
  }

  @Test func gradientsOfSeveralBatchesAddUp() throws {
    let network = Model(.qwen3).network()
    let loss = CrossEntropy(nextTokensOf: batch)
    let gradients = Gradients()
    for _ in 0..<2 { _ = try network.accumulateGradients(of: loss, over: batch, into: gradients) }
    let (_, once) = try network.gradients(of: loss, over: batch)
    for (key, matrix) in once.matrices {
      #expect(normalisedError(gradients[key]!.values, matrix.array.map { 2 * $0 }) < 1e-10, "\(key)")
    }
  }

  @Test func aResetForgetsAndWhatIsNotReachedAgainIsZero() throws {
    let network = Model(.qwen3).network()
    let loss = CrossEntropy(nextTokensOf: batch)
    let (again, unreached) = (Gradients(), Gradients())
    for gradients in [again, unreached] {
      _ = try network.accumulateGradients(of: loss, over: batch, into: gradients)
      gradients.reset()
    }
    #expect(unreached.norm == 0)
    #expect(unreached.matrices.values.allSatisfy { $0.array.allSatisfy { $0 == 0 } })
    _ = try network.accumulateGradients(of: loss, over: batch, into: again)
    let (_, once) = try network.gradients(of: loss, over: batch)
    for (key, matrix) in once.matrices { #expect(matrix.array == again[key]?.array, "\(key)") }
  }

  /// A loss on a hidden state, Σ c · blockOutput of block 1, alone: the slope along a weight against differences.
  @Test func aSiteMayBeGivenAGradient() throws {
    struct NoLoss: LogitLoss {
      func evaluate(_ logits: Matrix, rows: Range<Int>) -> Double {
        logits.values.update(repeating: 0)
        return 0
      }
    }
    var model = Model(.gemma2)
    var generator = SeededGenerator(state: 42)
    let direction = Matrix(rows: batch.rows, columns: 24, generator.values(batch.rows * 24, in: -1...1))
    let gradients = Gradients()
    _ = try model.network().accumulateGradients(
      of: NoLoss(), over: batch, into: gradients,
      adding: { layer, site, rows in layer == 1 && site == .blockOutput ? direction.view(rows: rows) : nil })
    #expect(gradients[WeightKey(.up, layer: 2)]!.array.allSatisfy { $0 == 0 })
    for key in [WeightKey(.up, layer: 1), WeightKey(.key, layer: 0), WeightKey(.attentionNorm, layer: 0)] {
      let values = model.weights[key].values
      let index = 7
      var losses: [Double] = []
      for step in [Float(1e-2), -1e-2] {
        model.weights[key].values[index] = values[index] + step
        let output = try model.network().run(batch, layers: 0..<2)
        losses.append(zip(output.values, direction.values).reduce(0) { $0 + Double($1.0) * Double($1.1) })
      }
      model.weights[key].values = values
      let expected = (losses[0] - losses[1]) / 2e-2
      let found = Double(gradients[key]!.values[index])
      #expect(abs(found - expected) < 1e-2 * max(0.1, abs(expected)), "\(key): \(found) \(expected)")
    }
  }
}
