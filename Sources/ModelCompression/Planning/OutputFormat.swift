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

  /// What writing in this format makes of a model: lazy, for its shapes and formats.
  public func applied(to model: Checkpoint) throws -> Checkpoint {
    try Recipe(
      parent: model, output: fileFormat, elementFormat: elementFormat, quantization: quantization
    ).applied(to: model)
  }
}
