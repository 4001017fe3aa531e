import ModelArchitectures
import ModelCheckpoints
import TensorFormats
import Testing

@Suite struct WeightTableTests {
  @Test(arguments: Pico.all) func namesAndShapesAreThoseOfTransformers(pico: Pico) throws {
    let model = try pico.checkpoint()
    let rows = model.architecture.weights(for: model.hyperparameters)
    let table = rows.map { key, spec in
      "\(spec.huggingFaceName(layer: key.layer)) \(spec.shape(in: model.hyperparameters))"
    }
    #expect(table.sorted() == (try pico.tensors().map { "\($0.name) \($0.shape)" }.sorted()))
  }

  @Test(arguments: Pico.all) func ggufNamesAreThoseOfItsTensorMap(pico: Pico) throws {
    let model = try pico.checkpoint()
    let expected = try #require(oracle("gguf_names")[pico.name]?.object)
    for (key, spec) in model.architecture.weights(for: model.hyperparameters) {
      #expect(spec.ggufName(layer: key.layer) == expected[spec.huggingFaceName(layer: key.layer)]?["gguf"]?.string)
    }
  }

  @Test(arguments: Pico.all) func parametersAreCountedAsTransformersDoes(pico: Pico) throws {
    let model = try pico.checkpoint()
    let elements = try pico.tensors().reduce(0) { $0 + ($1.elementCount ?? 0) }
    #expect(model.parameterCount == elements)
  }

  @Test(arguments: Pico.all) func aRowIsFoundByItsKey(pico: Pico) throws {
    let model = try pico.checkpoint()
    for (key, spec) in model.architecture.weights(for: model.hyperparameters) {
      #expect(model.architecture.spec(of: key) == spec)
    }
  }

  @Test func aTiedHeadHasNoRowAndCountsOnce() {
    var sizes = Architecture.llama.defaults
    (sizes.vocabularySize, sizes.hiddenSize, sizes.tiesHead) = (10, 4, false)
    let untied = Architecture.llama.parameterCount(for: sizes)
    sizes.tiesHead = true
    #expect(untied - Architecture.llama.parameterCount(for: sizes) == 40)
    #expect(!Architecture.llama.weightSpecs(for: sizes).contains { $0.role == .head })
  }

  @Test func biasesFollowTheConfigurationOnlyWhereTheFamilySaysSo() {
    var sizes = Hyperparameters()
    func biases(_ family: Architecture) -> Set<WeightRole> {
      Set(family.weightSpecs(for: sizes).filter { $0.part == .bias && $0.role.isLinear }.map(\.role))
    }
    #expect(biases(.llama).isEmpty)
    #expect(biases(.qwen2) == [.query, .key, .value])
    #expect(biases(.phi) == [.query, .key, .value, .attentionOutput, .up, .down, .head])
    (sizes.hasAttentionBias, sizes.hasFeedForwardBias) = (true, true)
    #expect(biases(.llama) == [.query, .key, .value, .attentionOutput, .gate, .up, .down])
    #expect(biases(.qwen3) == [.query, .key, .value, .attentionOutput])
    #expect(biases(.qwen2) == [.query, .key, .value])
  }
}
