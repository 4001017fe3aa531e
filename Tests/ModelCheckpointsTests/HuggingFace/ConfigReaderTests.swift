import ModelArchitectures
import MTConvTestSupport
import TensorFormats
import Testing

@testable import ModelCheckpoints

@Suite struct ConfigReaderTests {
  private func read(_ object: JSONObject) throws -> Hyperparameters {
    try ConfigReader(ModelConfig(object)).hyperparameters()
  }

  @Test(arguments: ModelFolder.picos) func bothStylesOfTransformersMeanTheSame(pico: String) throws {
    let (new, old) = (try ModelFolder(pico), try ModelFolder(pico, config: "config.v4.json"))
    #expect(try read(new.config) == read(old.config))
  }

  @Test func absentAndNullKeysMeanWhatTransformersMakesOfThem() throws {
    for row in try #require(oracle("config_defaults").array) {
      let name = try #require(row["name"]?.string)
      let model = try read(try #require(row["config"]?.object))
      let expected = try #require(row["expected"])
      #expect(model.keyValueHeadCount == expected["keyValueHeads"]?.int, "\(name)")
      #expect(model.headDimension == expected["headDimension"]?.int, "\(name)")
      #expect(model.normEpsilon == expected["epsilon"]?.double, "\(name)")
      #expect(model.contextLength == expected["context"]?.int, "\(name)")
      #expect(model.tiesHead == expected["tied"]?.bool, "\(name)")
      #expect(model.activation == expected["activation"]?.string.flatMap(Activation.init(huggingFaceName:)), "\(name)")
      #expect(model.slidingWindow == expected["window"]?.int, "\(name)")
      #expect(model.layerKinds.map(\.rawValue) == expected["layerTypes"]?.array?.compactMap(\.string), "\(name)")
      #expect(model.queryScalar == expected["queryScalar"]?.double, "\(name)")
      #expect(model.attentionSoftcap == expected["attentionSoftcap"]?.double, "\(name)")
      #expect(model.logitSoftcap == expected["logitSoftcap"]?.double, "\(name)")
      #expect(model.hasAttentionBias == expected["attentionBias"]?.bool ?? false, "\(name)")
      try check(model.rotary, expected, headDimension: model.headDimension, name)
    }
  }

  private func check(_ rotary: Rotary, _ expected: JSON, headDimension: Int, _ name: String) throws {
    #expect(rotary.base == expected["theta"]?.double, "\(name)")
    let fraction = try #require(expected["partialFactor"]?.double)
    #expect(rotary.dimension == Int(Double(headDimension) * fraction), "\(name)")
    let scaling = try #require(expected["scaling"])
    switch rotary.scaling {
    case .none: #expect(scaling["rope_type"]?.string == "default", "\(name)")
    case .linear(let factor): #expect(scaling["factor"]?.double == factor, "\(name)")
    case .llama3(let factor, let low, let high, let original):
      #expect(scaling["factor"]?.double == factor && scaling["low_freq_factor"]?.double == low, "\(name)")
      #expect(scaling["high_freq_factor"]?.double == high, "\(name)")
      #expect(scaling["original_max_position_embeddings"]?.int == original, "\(name)")
    }
  }

  @Test func twoOriginalContextsOfOneScalingAreRefused() throws {
    var config = try ModelFolder("llama-rope3").config
    #expect(try read(config).rotary.scaling != .none)
    config["original_max_position_embeddings"] = 7
    expectError(.invalidConfig, naming: "'original_max_position_embeddings' is 7, and ") { _ = try read(config) }
  }

  @Test func layerTypesArePreferredToThePattern() throws {
    var config = try ModelFolder("gemma2").config
    config["layer_types"] = ["full_attention", "full_attention", "sliding_attention", "full_attention"]
    #expect(try read(config).layerKinds == [.full, .full, .sliding, .full])
  }

  @Test(arguments: ["true", "1"]) func aMemberThatSwitchesOnWhatIsNotSupportedIsRefused(value: String) throws {
    var config = try ModelFolder("phi").config
    config["qk_layernorm"] = try JSON(parsing: value)
    expectError(value == "true" ? .unsupportedFeature : .invalidConfig, naming: "'qk_layernorm'") {
      _ = try read(config)
    }
  }
}
