import ModelArchitectures
import Testing

@testable import ModelCompute

struct TrainableWeightsTests {
  private let batch = TokenBatch([[5, 0, 17, 36, 2], [7, 1, 8]])
  private let adapted = [WeightKey(.query, layer: 1), WeightKey(.down, layer: 0)]

  @Test(arguments: [false, true])
  func gradientsOfFactorsAreThoseOfDifferences(_ keepsTraces: Bool) throws {
    let model = Model(.qwen3)
    let weights = try TrainableWeights(
      training: [WeightKey(.finalNorm)], adapting: adapted, by: .init(rank: 3, alpha: 5), of: model.weights)
    let network = Network(architecture: model.architecture, hyperparameters: model.sizes, weights: weights)
    let loss = CrossEntropy(nextTokensOf: batch)
    // Where up is zero, down has no gradient.
    var generator = SeededGenerator(state: 3)
    for (key, values) in weights.parameters where "\(key)".hasSuffix("up") {
      _ = values.values.update(fromContentsOf: generator.values(values.count, in: -0.3...0.3))
    }
    func value() throws -> Double {
      try network.accumulateGradients(of: loss, over: batch, into: Gradients { _ in false })
    }
    let gradients = Gradients { weights.trains($0) }
    _ = try network.accumulateGradients(of: loss, over: batch, into: gradients, keepingTraces: keepsTraces)
    #expect(Set(gradients.matrices.keys) == [WeightKey(.finalNorm)])
    #expect(weights.parameters.count == 5)
    for (key, values) in weights.parameters {
      let slopes = try #require(gradients[key], "\(key)")
      for index in [0, values.count / 2, values.count - 1] {
        let old = values.values[index]
        values.values[index] = old + 1e-2
        let up = try value()
        values.values[index] = old - 1e-2
        let down = try value()
        values.values[index] = old
        let slope = (up - down) / 2e-2
        #expect(abs(Double(slopes.values[index]) - slope) < 2e-3 * max(0.1, abs(slope)), "\(key)")
      }
    }
  }

  @Test func mergedWeightsGiveTheSameModel() throws {
    let model = Model(.llama)
    let weights = try TrainableWeights(training: [], adapting: adapted, by: .init(rank: 2), of: model.weights)
    var generator = SeededGenerator(state: 4)
    for (_, values) in weights.parameters {
      _ = values.values.update(fromContentsOf: generator.values(values.count, in: -0.3...0.3))
    }
    var merged = model.weights
    for (key, values) in weights.results { merged[key].values = values.array }
    let a = Network(architecture: model.architecture, hyperparameters: model.sizes, weights: weights)
    let b = Network(architecture: model.architecture, hyperparameters: model.sizes, weights: merged)
    let tokens = Array(batch.tokens[0..<5])
    #expect(normalisedError(try a.logits(tokens).values, try b.logits(tokens).values) < 1e-11)
    #expect(normalisedError(try a.logits(tokens).values, try model.network().logits(tokens).values) > 1e-3)
  }

  @Test func randomWeightsAreNormalAndNormsNeutral() throws {
    let model = Model(.gemma2)
    let weights = try TrainableWeights(training: Array(model.weights.tensors.keys), of: model.weights)
    weights.randomize(normOffset: 1, seed: 5)
    #expect(weights.results[WeightKey(.attentionNorm, layer: 0)]!.array.allSatisfy { $0 == 0 })
    let values = weights.results.filter { $0.key.part == .weight && $0.value.rows > 1 }.flatMap(\.value.array)
    let mean = values.reduce(0, +) / Float(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)
    #expect(abs(mean) < 1e-3 && abs(variance.squareRoot() - 0.02) < 1e-3)
  }

  @Test(arguments: Architecture.all)
  func keptTracesGiveTheSameGradients(_ architecture: Architecture) throws {
    let network = Model(architecture).network()
    let loss = CrossEntropy(nextTokensOf: batch)
    let (run, kept) = (Gradients(), Gradients())
    let a = try network.accumulateGradients(of: loss, over: batch, into: run)
    let b = try network.accumulateGradients(of: loss, over: batch, into: kept, keepingTraces: true)
    #expect(a == b)
    for (key, matrix) in run.matrices { #expect(matrix.array == kept[key]?.array, "\(key)") }
  }
}
