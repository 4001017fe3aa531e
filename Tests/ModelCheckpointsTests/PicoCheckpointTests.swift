import ModelArchitectures
import ModelCheckpoints
import MTConvTestSupport
import OrderedCollections
import Testing

@Suite struct PicoCheckpointTests {
  static let names = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]

  @Test(arguments: names) func opensWithEveryWeightInItsPlace(name: String) throws {
    let model = try Checkpoint(path: Fixture.path("models/\(name)-pico"))
    #expect(model.weights.count == model.architecture.weights(for: model.hyperparameters).count)
    #expect(model.warnings.isEmpty)
  }
}
