import ModelArchitectures
import OrderedCollections
import MTConvTestSupport
import TensorFormats
import Testing

@testable import ModelCheckpoints

@Suite struct ConfigWriterTests {
  /// transformers takes an integer there, and a float for the soft-caps beside it.
  @Test func aWholeQueryScalarIsWrittenAsAnInteger() throws {
    let model = try Checkpoint(path: Fixture.path("models/gemma2-pico"))
    var sizes = model.hyperparameters
    sizes.queryScalar = 16
    let config = ModelConfig(architecture: .gemma2, hyperparameters: sizes)
    #expect(config["query_pre_attn_scalar"] == .int(16))
    sizes.queryScalar = 16.5
    #expect(ModelConfig(architecture: .gemma2, hyperparameters: sizes)["query_pre_attn_scalar"] == .double(16.5))
  }

  @Test(arguments: ModelFolder.picos, ["config.json", "config.v4.json"])
  func aWrittenConfigurationReadsBackTheSame(pico: String, style: String) throws {
    let reader = try ConfigReader(ModelConfig(ModelFolder(pico, config: style).config))
    let model = try reader.hyperparameters()
    let written = ModelConfig(architecture: reader.architecture, hyperparameters: model)
    #expect(written.object.keys == written.object.keys.sorted())
    #expect(written["head_dim"]?.int == model.headDimension)
    #expect(try ConfigReader(written).hyperparameters() == model)
  }

  @Test func theRotatedShareGivesBackTheNumberOfChannels() {
    for size in 1...160 {
      for dimension in 1...size {
        var model = Hyperparameters()
        model.headDimension = size
        model.rotary.dimension = dimension
        #expect(Int(Double(size) * model.rotaryFraction) == dimension)
      }
    }
  }

  @Test func droppingNothingChangesNothingButWhatWasLeftToBeDerived() throws {
    for pico in ModelFolder.picos {
      let folder = try ModelFolder(pico).written()
      let model = try Checkpoint(path: folder.path)
      let same = try model.keeping(layers: Array(0..<model.hyperparameters.layerCount))
      let added = same.config.object.keys.filter { model.config.object[$0] == nil }
      #expect(Set(added).isSubset(of: ["head_dim", "num_key_value_heads"]))
      for (key, value) in model.config.object { #expect(same.config.object[key] == value) }
    }
  }

  @Test func droppedLayersKeepOrderAndSpellingOfEverythingElse() throws {
    let text = """
      {"zeta": 1E-5, "model_type": "gemma2", "num_hidden_layers": 4, "hidden_size": 36, "intermediate_size": 56,
       "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 10, "vocab_size": 104, "rms_norm_eps": 4.0e-6,
       "rope_theta": 3000.00, "sliding_window": 8}
      """
    var folder = try ModelFolder("gemma2")
    folder.config = try JSON(parsing: text).object!
    let written = try folder.written()
    let pruned = try Checkpoint(path: written.path).keeping(layers: [0, 2, 3])
    let keys = pruned.config.object.keys
    #expect(keys == folder.config.keys + ["layer_types"])
    #expect(pruned.config["zeta"]?.serialized() == "1E-5")
    #expect(pruned.config["rms_norm_eps"]?.serialized() == "4.0e-6")
    #expect(pruned.config["rope_theta"]?.serialized() == "3000.00")
    #expect(pruned.config["num_hidden_layers"] == 3)
    #expect(pruned.config["layer_types"] == ["sliding_attention", "sliding_attention", "full_attention"])
    #expect(try ConfigReader(pruned.config).hyperparameters() == pruned.hyperparameters)
    #expect(pruned.weights[WeightKey(.up, layer: 1)]?.shape == [56, 36])
  }

  @Test func theHeadSizeIsWrittenWhereItWasDerived() throws {
    var folder = try ModelFolder("llama", config: "config.v4.json")
    folder.config["max_window_layers"] = 3
    let written = try folder.written()
    let pruned = try Checkpoint(path: written.path).keeping(layers: [2])
    #expect(pruned.config["head_dim"] == 8)
    #expect(pruned.config["num_hidden_layers"] == 1)
    #expect(pruned.config["max_window_layers"] == 1)
  }

  /// A reader that knows only `max_window_layers` finds the kinds that `layer_types` lists, whatever layers go.
  @Test(arguments: [([0, 1, 2], 2), ([0, 2], 1), ([2], 0), ([0, 1], 2)])
  func theWindowBeginsAtTheLayerWhereItBeganInTheParent(kept: [Int], expected: Int) throws {
    var folder = try ModelFolder("qwen2", config: "config.v4.json")
    folder.config["use_sliding_window"] = true
    folder.config["max_window_layers"] = 2
    let written = try folder.written()
    let parent = try Checkpoint(path: written.path)
    #expect(parent.hyperparameters.layerKinds == [.full, .full, .sliding])
    let pruned = try parent.keeping(layers: kept)
    let config = kept.count == 3 ? parent.config : pruned.config
    #expect(config["max_window_layers"]?.int == expected)
  }

  @Test func aWindowThatIsSwitchedOffStaysAsItIsWritten() throws {
    let folder = try ModelFolder("qwen2", config: "config.v4.json").written()
    let pruned = try Checkpoint(path: folder.path).keeping(layers: [0, 1])
    #expect(pruned.config["sliding_window"] == 16)
    #expect(pruned.hyperparameters.slidingWindow == nil)
  }

  @Test func anUnchangedConfigurationKeepsItsBytes() throws {
    let bytes = Array(#"{ "name": "caf\u00e9",   "eps": 1E-5 }"#.utf8)
    var config = try ModelConfig(parsing: bytes, name: "config.json")
    #expect(config.bytes == bytes)
    config.object["eps"] = 2
    #expect(config.bytes != bytes)
  }
}
