import Foundation
import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import ModelCompute
import TensorFormats
import Testing

/// Cuts of axes on the pico models, whose logits are checked against transformers elsewhere.
@Suite struct AxisCutTests {
  static let names = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]
  private let tokens = [5, 17, 42, 3, 99, 8, 61, 30, 77, 12, 54, 23]

  private func model(_ name: String) throws -> Checkpoint { try Checkpoint(path: Fixture.path("models/\(name)-pico")) }

  /// ‖a − b‖² ÷ ‖a‖²
  private func error(_ a: Matrix, _ b: Matrix) -> Double {
    var (signal, noise) = (0.0, 0.0)
    for (x, y) in zip(a.values, b.values) {
      signal += Double(x) * Double(x)
      noise += Double(x - y) * Double(x - y)
    }
    return noise / signal
  }

  @Test(arguments: names) func reorderingEveryAxisDoesNotChangeTheOutput(name: String) throws {
    let model = try model(name)
    let sizes = model.hyperparameters
    var indices: [ScopedAxis: [Int]] = [ScopedAxis(.hidden): Array((0..<sizes.hiddenSize).reversed())]
    let group = sizes.queryHeadCount / sizes.keyValueHeadCount
    for layer in 0..<sizes.layerCount {
      indices[ScopedAxis(.intermediate, layer: layer)] = Array((0..<sizes.intermediateSize).reversed())
      indices[ScopedAxis(.keyValueHead, layer: layer)] = Array((0..<sizes.keyValueHeadCount).reversed())
      indices[ScopedAxis(.queryHead, layer: layer)] = (0..<sizes.keyValueHeadCount).reversed().flatMap {
        ($0 * group..<($0 + 1) * group).reversed()
      }
    }
    let reordered = try model.keeping(layers: Array(0..<sizes.layerCount), indices: indices)
    let difference = try error(model.network.logits(tokens), reordered.network.logits(tokens))
    #expect(difference < 1e-10)
  }

  @Test(arguments: names) func cutModelsHaveTheShapesTheirConfigurationStates(name: String) throws {
    let model = try model(name)
    let sizes = model.hyperparameters
    var indices: [ScopedAxis: [Int]] = [ScopedAxis(.hidden): Array(0..<sizes.hiddenSize - 8)]
    for layer in 0..<sizes.layerCount {
      indices[ScopedAxis(.intermediate, layer: layer)] = Array(
        stride(from: layer % 2, to: sizes.intermediateSize, by: 2))
    }
    let cut = try model.keeping(layers: [0, 2], indices: indices)
    #expect(cut.hyperparameters.layerCount == 2)
    #expect(cut.hyperparameters.headDimension == sizes.headDimension)
    for (key, spec) in cut.architecture.weights(for: cut.hyperparameters) {
      let shape = try cut.shape(of: key)
      #expect(shape == spec.shape(in: cut.hyperparameters))
    }
    #expect(cut.config["head_dim"]?.int == sizes.headDimension)
    let logits = try cut.network.logits(tokens)
    #expect(!logits.values.contains { !$0.isFinite })
  }

  @Test func refusesIndicesThatMakeNoModel() throws {
    let model = try model("llama")
    let layers = Array(0..<model.hyperparameters.layerCount)
    let uneven = [ScopedAxis(.intermediate, layer: 0): [0, 1, 2]]
    let twice = [ScopedAxis(.hidden): [0, 0]]
    let beyond = [ScopedAxis(.hidden): [0, 100_000]]
    let fixed = [ScopedAxis(.headDimension): [0, 1]]
    for indices in [uneven, twice, beyond, fixed] {
      #expect(throws: CheckpointError(.invalidCut, "")) { try model.keeping(layers: layers, indices: indices) }
    }
  }

  @Test func scaledEmbeddingsKeepTheirSizeWhenChannelsGo() throws {
    let model = try model("gemma2")
    let kept = Array(stride(from: 0, to: model.hyperparameters.hiddenSize, by: 3))
    let cut = try model.keeping(
      layers: Array(0..<model.hyperparameters.layerCount), indices: [ScopedAxis(.hidden): kept])
    let batch = TokenBatch([tokens])
    let (before, after) = (try model.network.embed(batch), try cut.network.embed(batch))
    for row in tokens.indices {
      for (position, channel) in kept.enumerated() {
        #expect(abs(after[row][position] - before[row][channel]) <= 1e-5 * abs(before[row][channel]))
      }
    }
    // The tied head: the same final state before its norm gives the same logits but for what the lost channels added.
    let state = Matrix(rows: 1, columns: kept.count, kept.map { Float($0 % 5) - 2 })
    var whole = [Float](repeating: 0, count: model.hyperparameters.hiddenSize)
    for (position, channel) in kept.enumerated() { whole[channel] = state[0][position] }
    let logits = try cut.network.head().logits(cut.network.finalHidden(state))
    let expected = try model.network.head().logits(
      model.network.finalHidden(Matrix(rows: 1, columns: whole.count, whole)))
    // The mean square is over fewer channels, and nothing else differs: before the soft-cap, logits are in this ratio.
    let ratio = (Double(kept.count) / Double(model.hyperparameters.hiddenSize)).squareRoot()
    let cap = try #require(model.hyperparameters.logitSoftcap)
    for (logit, whole) in zip(logits.values, expected.values) {
      let (capless, caplessWhole) = (cap * atanh(Double(logit) / cap), cap * atanh(Double(whole) / cap))
      #expect(abs(capless - ratio * caplessWhole) < 1e-3 * max(1, abs(capless)))
    }
  }
}
