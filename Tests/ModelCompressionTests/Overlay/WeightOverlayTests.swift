import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@Suite("Weight overlays")
struct WeightOverlayTests {
  private let key = WeightKey(.down, layer: 1)

  private func overlay(for model: Checkpoint) throws -> WeightOverlay {
    let shape = model.weights[key]!.shape
    let values = (0..<shape[0] * shape[1]).map { Float($0) / 7 }
    return try WeightOverlay([key: LazyTensor(values, shape: shape)], for: model, method: "testing")
  }

  @Test func replacesOnlyTheWeightsItHolds() throws {
    let model = try Pico.checkpoint("llama")
    let overlay = try overlay(for: model)
    let replaced = try model.replacing(overlay)
    #expect(try replaced.weights[key]!.values.decoded() == overlay.weights[key]!.decoded())
    for (other, weight) in replaced.weights where other != key {
      #expect(try weight.values.bytes() == model.weights[other]!.values.bytes())
    }
    #expect(replaced.parameterCount == model.parameterCount)
  }

  @Test func conversionAfterwardsReadsTheF32Values() throws {
    let model = try Pico.checkpoint("llama")
    let overlay = try overlay(for: model)
    let converted = try model.replacing(overlay).converted(to: .bf16, for: .huggingFace)
    let once = overlay.weights[key]!
    let expected = try once.decoded().map { value -> Float in
      let bits = value.bitPattern
      return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
    }
    #expect(try converted.weights[key]!.values.decoded() == expected)
  }

  @Test func fileHoldsTheSameWeightsUnderHuggingFaceNames() throws {
    let folder = TemporaryFolder()
    let model = try Pico.checkpoint("llama")
    let overlay = try overlay(for: model)
    let path = folder.file("overlay.safetensors")
    try overlay.write(to: path)
    let read = try WeightOverlay(path: path, for: model)
    #expect(Array(read.weights.keys) == [key])
    #expect(read.settings == overlay.settings)
    #expect(read.settings.method == "testing")
    #expect(try read.weights[key]!.bytes() == overlay.weights[key]!.bytes())
    #expect(try SafetensorsFile(path: path).tensors.map(\.info.name) == ["model.layers.1.mlp.down_proj.weight"])
    #expect(throws: FileError.self) { try overlay.write(to: path) }
    try overlay.write(to: path, overwrite: true)
    #expect(try folder.names() == ["overlay.safetensors"])
  }

  @Test func refusesWeightsThatTheModelDoesNotHave() throws {
    let model = try Pico.checkpoint("llama")
    let tensor = LazyTensor([1, 2], shape: [1, 2])
    for key in [WeightKey(.down, layer: 99), WeightKey(.down, layer: 0), WeightKey(.down, .bias, layer: 0)] {
      #expect(throws: CompressionError(.wrongOverlay, "")) {
        _ = try WeightOverlay([key: tensor], for: model, method: "testing")
      }
    }
  }

  /// Two cuts of one size: the weights of one are nonsense in the other.
  @Test func isForOneCutOnly() throws {
    let parent = try Pico.checkpoint("llama")
    let plans = [[0, 2], [0, 1]].map { PruningPlan(parentLayerCount: 3, keptLayers: $0, criterion: .explicit) }
    let cut = try parent.pruned(by: plans[0])
    let norm = WeightKey(.finalNorm)
    let weights = [norm: cut.weights[norm]!.values.converted(to: .f32, name: "")]
    let folder = TemporaryFolder()
    try WeightOverlay(weights, for: cut, method: "testing", cutBy: plans[0]).write(to: folder.file("o.safetensors"))
    let overlay = try WeightOverlay(path: folder.file("o.safetensors"), for: cut)
    var same = plans[0]
    same.criterion = .loss
    for (plan, isRefused) in [(plans[0], false), (same, false), (plans[1], true)] {
      var recipe = Recipe(parent: parent, output: .huggingFace, pruning: plan)
      var refused = false
      do { try recipe.record(overlay, for: parent) } catch let error as CompressionError {
        refused = error.code == .wrongOverlay
      }
      #expect(refused == isRefused)
    }
  }

  @Test func refusesAFileForAnotherModelOrOfAnotherKind() throws {
    let folder = TemporaryFolder()
    let model = try Pico.checkpoint("llama")
    let path = folder.file("overlay.safetensors")
    try overlay(for: model).write(to: path)
    let fewer = try model.keeping(layers: [0, 1])
    #expect(throws: CompressionError(.wrongOverlay, "")) { _ = try WeightOverlay(path: path, for: fewer) }
    #expect(throws: CompressionError(.wrongOverlay, "")) { _ = try fewer.replacing(overlay(for: model)) }
    let weights = Fixture.path("models/llama-pico/model.safetensors")
    #expect(throws: CompressionError(.wrongOverlay, "")) { _ = try WeightOverlay(path: weights, for: model) }
    #expect(try folder.names() == ["overlay.safetensors"])
  }
}
