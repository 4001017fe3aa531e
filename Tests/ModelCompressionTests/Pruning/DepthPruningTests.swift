import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

@Suite struct DepthPruningTests {
  private let folder: TemporaryFolder

  init() throws { folder = TemporaryFolder() }

  private func plan(_ model: Checkpoint, without dropped: [Int]) -> PruningPlan {
    let layers = model.hyperparameters.layerCount
    return PruningPlan(
      parentLayerCount: layers, keptLayers: (0..<layers).filter { !dropped.contains($0) }, criterion: .explicit)
  }

  @Test func equalsTransformersWithoutTheLayer() throws {
    let model = try Pico.checkpoint("llama")
    let pruned = try model.pruned(by: plan(model, without: [1]))
    let oracle = try TensorTable(fixture: "models/llama-pico-pruned/oracle.safetensors")
    let set = try CalibrationSet(sequences: oracle.sequences("tokens"))
    #expect(normalizedError(try oracle.floats("logits"), try pruned.logits(of: set)) < 1e-10)
    let expected = Metrics.shared.pruned.perplexity
    #expect(agree(try Perplexity(of: pruned, on: set).value, expected.value, within: 1e-5))
  }

  @Test(arguments: Pico.families) func writtenAndReadAgainIsTheSame(_ family: String) throws {
    let model = try Pico.checkpoint(family)
    let pruned = try model.pruned(by: plan(model, without: [1]))
    try pruned.write(to: folder.file("out"), as: .huggingFace)
    let written = try Checkpoint(path: folder.file("out"))
    #expect(written.hyperparameters == pruned.hyperparameters)
    let set = try Pico.tokens(family)
    #expect(try written.logits(of: set) == pruned.logits(of: set))
  }

  @Test func keepsTheKindsOfTheOriginalLayers() throws {
    let model = try Pico.checkpoint("gemma2")
    #expect(model.hyperparameters.layerKinds == [.sliding, .full, .sliding, .full])
    let pruned = try model.pruned(by: plan(model, without: [1]))
    #expect(pruned.hyperparameters.layerKinds == [.sliding, .sliding, .full])
    #expect(pruned.config["layer_types"] == ["sliding_attention", "sliding_attention", "full_attention"])
    #expect(pruned.config["num_hidden_layers"] == 3)
  }

  /// A configuration that leaves the kinds to the family's pattern has to state them once layers are gone.
  @Test func statesKindsThatTheFamilyWouldGetWrong() throws {
    var model = try Pico.checkpoint("gemma2")
    model.config.object["layer_types"] = nil
    let regular = try model.pruned(by: plan(model, without: [2, 3]))
    #expect(regular.config["layer_types"] == nil)
    let irregular = try model.pruned(by: plan(model, without: [0]))
    #expect(irregular.config["layer_types"] == ["full_attention", "sliding_attention", "full_attention"])
  }

  @Test(arguments: Pico.families) func droppingNothingChangesNothing(_ family: String) throws {
    let model = try Pico.checkpoint(family)
    let pruned = try model.pruned(by: plan(model, without: []))
    let set = try Pico.tokens(family)
    #expect(try model.logits(of: set) == pruned.logits(of: set))
    try pruned.write(to: folder.file("out"), as: .huggingFace)
    let (ours, theirs) = (
      try TensorTable(folder.file("out/model.safetensors")),
      try TensorTable(fixture: "models/\(family)-pico/model.safetensors")
    )
    #expect(ours.names == theirs.names)
    for name in theirs.names { #expect(try ours.bytes(name) == theirs.bytes(name), "\(name)") }
    let (before, after) = (model.config.object, pruned.config.object)
    // The head size is always stated, since hidden ÷ heads need not be it.
    let added: Set = before["head_dim"] == nil ? ["head_dim"] : []
    for key in Set(before.keys).union(after.keys).subtracting(added) { #expect(before[key] == after[key], "\(key)") }
  }

  @Test func renumbersTheLayersThatStay() throws {
    let model = try Pico.checkpoint("llama")
    let pruned = try model.pruned(by: plan(model, without: [0, 1]))
    let name = "model.layers.0.mlp.up_proj.weight"
    #expect(try pruned.values(named: name) == model.values(named: "model.layers.2.mlp.up_proj.weight"))
    #expect(pruned.key(named: "model.layers.1.mlp.up_proj.weight") == nil)
    #expect(pruned.parameterCount < model.parameterCount)
  }
}
