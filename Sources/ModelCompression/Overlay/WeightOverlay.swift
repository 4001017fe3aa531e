public import ModelArchitectures
public import ModelCheckpoints
public import OrderedCollections
internal import SafetensorsFormat
public import TensorFormats

/// Weights that take the place of a checkpoint's: what healing or training made of a pruned model.
///
/// The values are F32, whatever the checkpoint holds, so that a conversion or quantization afterwards rounds once.
/// `Checkpoint.replacing(_:)` puts them in.
///
/// As a file it is safetensors with Hugging Face names, all F32; the metadata says under `mtconv.overlay`, as JSON, what made it
/// and which sizes the model has that it is for.
public struct WeightOverlay: Sendable {
  /// What stands in the metadata of the file.
  public struct Settings: Sendable, Codable, Equatable {
    public var tool = "mtconv \(Recipe.version)"
    /// What made the weights, for example `healing`.
    public var method: String
    /// The model that the weights are for.
    public var family: String
    public var layerCount: Int
    public var parameterCount: Int
    /// What the plan kept by which the model was cut, as a hash; nil if nobody said.
    public var cut: ContentHash?
    /// `Checkpoint.contentHash` of the model that it was cut from; nil if the plan did not know it.
    public var parent: ContentHash?
  }

  public private(set) var settings: Settings
  /// Replaced weights, F32, in the order of the model's weight table.
  public private(set) var weights: OrderedDictionary<WeightKey, LazyTensor>
  /// The tensor names of `weights`.
  private var names: OrderedDictionary<WeightKey, String>

  private static let metadataKey = "mtconv.overlay"

  /// Weights for `model`, by key; lazy ones stay so.
  /// - Parameter plan: what `model` was cut by; the weights fit no other cut.
  /// - Throws: `CompressionError.wrongOverlay` for a weight that the model does not have, of another shape, or not F32.
  public init(
    _ weights: [WeightKey: LazyTensor], for model: Checkpoint, method: String, cutBy plan: PruningPlan? = nil
  ) throws {
    for (key, tensor) in weights {
      guard let weight = model.weights[key] else {
        throw CompressionError(.wrongOverlay, "the overlay has a weight '\(key)', the model has none")
      }
      try Self.check(tensor.format, tensor.shape, of: model.huggingFaceName(of: key), expected: weight.shape)
    }
    var settings = Settings(method: method, model)
    settings.cut = try plan?.cutHash
    settings.parent = plan?.parent?.contentHash
    self.init(unchecked: weights, model, settings)
  }

  /// Throws `wrongOverlay` for weights that were made for another cut than this one.
  func check(plan: PruningPlan?) throws {
    if let cut = settings.cut, try cut != plan?.cutHash {
      throw CompressionError(
        .wrongOverlay,
        "the weights were made for a model that keeps other layers or indices than the plan; heal this cut")
    }
    if let parent = settings.parent, let hash = plan?.parent?.contentHash, parent != hash {
      throw CompressionError(
        .wrongOverlay, "the weights were made for a cut of the model \(parent), the plan is for \(hash)")
    }
  }

  private init(unchecked weights: [WeightKey: LazyTensor], _ model: Checkpoint, _ settings: Settings) {
    let keys = model.weights.keys.filter { weights[$0] != nil }
    self.settings = settings
    self.weights = OrderedDictionary(uniqueKeysWithValues: keys.map { ($0, weights[$0]!) })
    names = OrderedDictionary(uniqueKeysWithValues: keys.map { ($0, model.huggingFaceName(of: $0)) })
  }

  /// `weights` by tensor name.
  var namedWeights: [String: LazyTensor] { Dictionary(uniqueKeysWithValues: weights.map { (names[$0]!, $1) }) }

  /// These weights and `other`'s, which take the place of those that both have. The methods are named in their order.
  ///
  /// Both must be for the same model.
  public func merging(_ other: WeightOverlay) -> WeightOverlay {
    precondition(
      (settings.layerCount, settings.parameterCount) == (other.settings.layerCount, other.settings.parameterCount),
      "overlays for models of different sizes")
    var result = self
    result.settings.method = "\(settings.method) and \(other.settings.method)"
    for (key, tensor) in other.weights {
      result.weights[key] = tensor
      result.names[key] = other.names[key]
    }
    return result
  }

  public var byteCount: Int { weights.values.reduce(0) { $0 + $1.byteCount } }

  private static func check(_ format: ElementFormat, _ shape: [Int], of name: String, expected: [Int]) throws {
    guard format == .f32 else {
      throw CompressionError(.wrongOverlay, "tensor '\(name)' of the overlay is \(format), expected F32")
    }
    guard shape == expected else {
      throw CompressionError(
        .wrongOverlay, "tensor '\(name)' of the overlay has shape \(shape), the model's has \(expected)")
    }
  }

  // MARK: File

  /// Writes the file; it appears under its name when it is complete.
  public func write(to path: String, overwrite: Bool = false) throws {
    let infos = weights.map { TensorInfo(name: names[$0]!, format: .f32, shape: $1.shape) }
    let byName = Dictionary(uniqueKeysWithValues: weights.map { (names[$0]!, $1) })
    let writer = try SafetensorsWriter(
      tensors: infos, metadata: [Self.metadataKey: JSON(encoding: settings).serialized()])
    let output = try OutputFile(path: path, overwrite: overwrite, expectedSize: writer.fileSize)
    try writer.write(to: output) { info, sink in try byName[info.name]!.forEachPanel { try sink($1) } }
    try output.commit()
  }

  /// Opens a file for the pruned model that it was made for; values stay in the file until they are read.
  /// - Throws: `CompressionError.wrongOverlay` for a file that is no overlay, is for a model of other sizes, or has a tensor that the
  ///   model does not have, of another shape, or not F32.
  public init(path: String, for model: Checkpoint) throws {
    let file = try SafetensorsFile(path: path)
    let settings = try Self.settings(of: file, path)
    try settings.check(against: model)
    let keys = Dictionary(uniqueKeysWithValues: model.weights.keys.map { (model.huggingFaceName(of: $0), $0) })
    var weights: [WeightKey: LazyTensor] = [:]
    for entry in file.tensors {
      let info = entry.info
      guard let key = keys[info.name] else {
        throw CompressionError(.wrongOverlay, "'\(path)' has a tensor '\(info.name)', the model has none")
      }
      try Self.check(info.format, info.shape, of: info.name, expected: model.weights[key]!.shape)
      weights[key] = LazyTensor(
        format: .f32, shape: info.shape,
        source: MappedTensor(file: file.file, range: entry.range, rowByteCount: 4 * info.rowLength))
    }
    self.init(unchecked: weights, model, settings)
  }

  private static func settings(of file: SafetensorsFile, _ path: String) throws -> Settings {
    guard let text = file.metadata[metadataKey] else {
      throw CompressionError(.wrongOverlay, "'\(path)' holds no weights to put into a model")
    }
    do {
      return try JSON(parsing: text).decoded()
    } catch {
      throw CompressionError(
        .wrongOverlay, "metadata '\(metadataKey)' of '\(path)' cannot be read: \(decodingMessage(error))")
    }
  }
}

extension WeightOverlay.Settings {
  fileprivate init(method: String, _ model: Checkpoint) {
    self.init(
      method: method, family: model.architecture.name, layerCount: model.hyperparameters.layerCount,
      parameterCount: model.parameterCount)
  }

  fileprivate func check(against model: Checkpoint) throws {
    let other = Self(method: method, model)
    guard (family, layerCount, parameterCount) == (other.family, other.layerCount, other.parameterCount) else {
      throw CompressionError(
        .wrongOverlay,
        "the overlay is for a \(family) with \(layerCount) layers and \(parameterCount) parameters,"
          + " the model is a \(other.family) with \(other.layerCount) and \(other.parameterCount)")
    }
  }
}

extension Checkpoint {
  /// The model with some of its weights replaced; lazy. What was codes and scales becomes F32 values.
  ///
  /// The order in a recipe: pruned, replaced, converted, quantized.
  /// - Throws: `CompressionError.wrongOverlay` if the overlay is for a model of other sizes.
  public func replacing(_ overlay: WeightOverlay) throws -> Checkpoint {
    try overlay.settings.check(against: self)
    var result = self
    for (key, tensor) in overlay.weights {
      guard let weight = weights[key], weight.shape == tensor.shape else {
        throw CompressionError(
          .wrongOverlay,
          "weight '\(key)' of the overlay has shape \(tensor.shape), the model's has"
            + " \(weights[key].map { "\($0.shape)" } ?? "none")")
      }
      result.weights[key] = Weight(tensor)
    }
    return result
  }
}
