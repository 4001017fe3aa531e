public import GGUFFormat
public import ModelArchitectures
public import OrderedCollections
public import TensorFormats

/// A model on disk, or one derived from it: configuration, tokenizer and weights by role, whatever the file format.
///
/// A checkpoint is lazy: it knows every shape and format, and reads data only when a weight is asked for its rows. Methods that
/// change a model return another lazy checkpoint, so that a whole chain is one pass over the input when it is written.
public struct Checkpoint: Sendable {
  /// Where it came from; for messages.
  public var path: String
  public var fileFormat: FileFormat
  public var architecture: Architecture
  public var hyperparameters: Hyperparameters
  /// The `config.json`: the file's own, or one made from GGUF metadata.
  public var config: ModelConfig
  public var generationConfig: ModelConfig?
  /// Every weight of the family's table, in its order and in Hugging Face orientation.
  public var weights: OrderedDictionary<WeightKey, Weight>
  /// How quantized weights are scaled and what an engine does with activations; nil if no weight is quantized.
  public var quantization: QuantizationLayout?
  /// Tokenizer files and others that are passed on as they are.
  public var carriedFiles: [CarriedFile]
  /// GGUF metadata of the source, empty for a Hugging Face directory.
  public var ggufMetadata: OrderedDictionary<String, GGUFValue>
  /// How the checkpoint was made, if this package made it.
  public var recipe: JSON?
  /// What the reader noticed and passed over, a sentence each.
  public var warnings: [String]

  public enum FileFormat: String, Sendable, Codable {
    case huggingFace = "Hugging Face directory"
    case gguf = "GGUF"
  }

  public var parameterCount: Int { architecture.parameterCount(for: hyperparameters) }
  public var byteCount: Int { weights.values.reduce(0) { $0 + $1.byteCount } }

  /// The format that holds most of the bytes.
  public var mainFormat: ElementFormat {
    var bytes: OrderedDictionary<ElementFormat, Int> = [:]
    for weight in weights.values { bytes[weight.format, default: 0] += weight.values.byteCount }
    return bytes.max { $0.value < $1.value }?.key ?? .f32
  }

  /// The tensor name of a weight in a Hugging Face checkpoint.
  public func huggingFaceName(of key: WeightKey) -> String { spec(of: key).huggingFaceName(layer: key.layer) }
  /// The tensor name of a weight in a GGUF file.
  public func ggufName(of key: WeightKey) -> String { spec(of: key).ggufName(layer: key.layer) }

  func spec(of key: WeightKey) -> WeightSpec { architecture.spec(of: key) }
}
