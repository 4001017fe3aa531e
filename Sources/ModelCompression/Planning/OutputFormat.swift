internal import ModelArchitectures
public import ModelCheckpoints
public import TensorFormats

/// What a model will be written as, which decides how many bytes it has.
public struct OutputFormat: Sendable, Codable, Equatable {
  public var fileFormat: Checkpoint.FileFormat
  /// The format of what is not quantized; nil keeps the source's.
  public var elementFormat: ElementFormat?
  public var quantization: QuantizationScheme?
  /// The numbers of the key-value cache of the engine that runs it.
  public var cacheFormat: ElementFormat

  public init(
    _ fileFormat: Checkpoint.FileFormat = .huggingFace, elementFormat: ElementFormat? = .bf16,
    quantization: QuantizationScheme? = nil, cacheFormat: ElementFormat = .f16
  ) {
    self.fileFormat = fileFormat
    self.elementFormat = elementFormat
    self.quantization = quantization
    self.cacheFormat = cacheFormat
  }

  /// What writing in this format makes of a model: for its shapes and formats. Calibrated scales are there, and mean nothing.
  public func outline(of model: Checkpoint) throws -> Checkpoint {
    // The last steps of a recipe, without the record and the card that belong to a file.
    let converted = elementFormat.map { model.converted(to: $0, for: fileFormat) } ?? model.fitted(for: fileFormat)
    guard var quantization else { return converted }
    let anyRanges = Dictionary(uniqueKeysWithValues: Site.allCases.map { ($0, Float(1)) })
    quantization.ranges = ActivationRanges(
      layers: Array(repeating: anyRanges, count: model.hyperparameters.layerCount))
    return try converted.quantized(by: quantization, from: model)
  }
}
