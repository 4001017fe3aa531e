import ModelArchitectures
import TensorFormats
import Testing

@testable import ModelCheckpoints

/// One defect of a configuration, and how it is reported.
struct ConfigDefect: CustomTestStringConvertible {
  let pico: String
  /// The member that is changed; nil removes it.
  let key: String
  let value: JSON?
  let code: CheckpointError.Code
  /// What the message names beside the key.
  let word: String

  init(
    _ key: String, _ value: JSON?, _ code: CheckpointError.Code = .invalidConfig, in pico: String = "llama",
    naming word: String = ""
  ) {
    (self.pico, self.key, self.value, self.code, self.word) = (pico, key, value, code, word)
  }

  var testDescription: String { "\(pico): \(key) = \(value?.serialized() ?? "absent")" }

  static func rope(_ parameters: JSON) -> JSON { parameters }

  static let all: [ConfigDefect] = [
    ConfigDefect("model_type", "bert", .unsupportedFamily, naming: "'bert'"),
    ConfigDefect("model_type", nil),
    ConfigDefect("model_type", 3, naming: "a string"),
    ConfigDefect("hidden_act", "mish", .unsupportedFeature, naming: "'mish'"),
    ConfigDefect("hidden_act", 1, naming: "a string"),
    ConfigDefect("hidden_act", ["silu"], naming: "a string"),
    ConfigDefect("is_causal", false, .unsupportedFeature),
    ConfigDefect("is_causal", .null, .unsupportedFeature),
    // Sizes.
    ConfigDefect("hidden_size", nil),
    ConfigDefect("hidden_size", .null),
    ConfigDefect("hidden_size", "32", naming: "an integer"),
    ConfigDefect("hidden_size", 32.0, naming: "32.0, expected an integer"),
    ConfigDefect("hidden_size", true, naming: "an integer"),
    ConfigDefect("hidden_size", -32, naming: "-32"),
    ConfigDefect("hidden_size", .int(.max)),
    ConfigDefect("intermediate_size", 0),
    ConfigDefect("vocab_size", .int(1 << 40)),
    ConfigDefect("num_hidden_layers", -1),
    ConfigDefect("num_hidden_layers", .int(1 << 60)),
    ConfigDefect("num_hidden_layers", .int(.max)),
    ConfigDefect("num_attention_heads", 0),
    ConfigDefect("num_attention_heads", .int(.max)),
    ConfigDefect("num_key_value_heads", 3, naming: "divisor of 4"),
    ConfigDefect("num_key_value_heads", -2),
    ConfigDefect("head_dim", .int(.max)),
    ConfigDefect("head_dim", -8),
    ConfigDefect("head_dim", 7, naming: ""),
    ConfigDefect("max_position_embeddings", -1),
    ConfigDefect("max_position_embeddings", .int(1 << 33)),
    ConfigDefect("rms_norm_eps", "1e-5", naming: "a number"),
    ConfigDefect("rms_norm_eps", -1),
    ConfigDefect("tie_word_embeddings", "true", naming: "true or false"),
    ConfigDefect("attention_bias", 0, naming: "true or false"),
    // Rotary.
    ConfigDefect("rope_parameters", "default", naming: "an object"),
    ConfigDefect("rope_parameters", ["rope_type": 1]),
    ConfigDefect("rope_parameters", ["rope_theta": 0]),
    ConfigDefect("rope_parameters", ["rope_theta": "1e4"]),
    ConfigDefect("rope_parameters", ["rope_type": "yarn", "factor": 2], .unsupportedFeature, naming: "yarn"),
    ConfigDefect("rope_parameters", ["rope_type": "dynamic", "factor": 2], .unsupportedFeature, naming: "dynamic"),
    ConfigDefect("rope_parameters", ["rope_type": "longrope"], .unsupportedFeature, naming: "longrope"),
    ConfigDefect("rope_parameters", ["type": "mrope"], .unsupportedFeature, naming: "mrope"),
    ConfigDefect("rope_parameters", ["rope_type": "linear"], naming: "'factor'"),
    ConfigDefect("rope_parameters", ["rope_type": "linear", "factor": 0], naming: "'factor'"),
    ConfigDefect(
      "rope_parameters", ["rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 1],
      naming: "'high_freq_factor'"),
    ConfigDefect("rope_parameters", ["rope_type": "llama3", "low_freq_factor": 1, "high_freq_factor": 4]),
    ConfigDefect("partial_rotary_factor", 0.5, .unsupportedFeature),
    ConfigDefect("partial_rotary_factor", 2),
    ConfigDefect("partial_rotary_factor", "half"),
    ConfigDefect("rope_parameters", ["partial_rotary_factor": 0.4], in: "nemotron", naming: "3 rotated channels"),
    // Layers.
    ConfigDefect("layer_types", "full_attention", in: "gemma2", naming: "an array"),
    ConfigDefect("layer_types", ["full_attention"], in: "gemma2", naming: "1 entries"),
    ConfigDefect("layer_types", [1, 2, 3, 4], in: "gemma2"),
    ConfigDefect(
      "layer_types", ["full_attention", "linear_attention", "full_attention", "full_attention"], .unsupportedFeature,
      in: "gemma2", naming: "linear_attention"),
    ConfigDefect("sliding_window", 0, in: "gemma2"),
    ConfigDefect("sliding_window", .int(1 << 40), in: "gemma2"),
    ConfigDefect("sliding_window", "8", in: "gemma2"),
    ConfigDefect("attn_logit_softcapping", 0, in: "gemma2"),
    ConfigDefect("query_pre_attn_scalar", -1, in: "gemma2"),
    ConfigDefect("use_sliding_window", "no", in: "qwen2"),
    ConfigDefect("use_bidirectional_attention", true, .unsupportedFeature, in: "gemma2"),
    ConfigDefect("qk_layernorm", true, .unsupportedFeature, in: "phi"),
  ]
}

@Suite struct ConfigErrorTests {
  @Test(arguments: ConfigDefect.all) func everyDefectHasItsOwnMessage(defect: ConfigDefect) throws {
    var config = try ModelFolder(defect.pico).config
    config[defect.key] = defect.value
    let isNested = ["rope_parameters", "partial_rotary_factor"].contains(defect.key)
    // The number of rotated channels follows from two keys.
    let isDerived = defect.key == "head_dim" && defect.value == 7
    expectError(defect.code, naming: isNested || isDerived ? "" : "'\(defect.key)'", defect.word) {
      _ = try ConfigReader(ModelConfig(config)).hyperparameters()
    }
  }

  @Test func headsThatDoNotDivideTheHiddenSizeNeedAHeadSize() throws {
    var config = try ModelFolder("llama", config: "config.v4.json").config
    config["num_attention_heads"] = 5
    config["num_key_value_heads"] = 5
    expectError(.invalidConfig, naming: "32", "5 heads") { _ = try ConfigReader(ModelConfig(config)).hyperparameters() }
  }

  @Test func textThatIsNoJSONObjectIsRefused() {
    expectError(.invalidConfig, naming: "config.json") {
      _ = try ModelConfig(parsing: Array("[1]".utf8), name: "config.json")
    }
    expectError(.invalidConfig, naming: "config.json") {
      _ = try ModelConfig(parsing: Array("{".utf8), name: "config.json")
    }
    expectError(.invalidConfig, naming: "config.json") {
      _ = try ModelConfig(parsing: Array(#"{"a":1,"a":2}"#.utf8), name: "config.json")
    }
  }
}
