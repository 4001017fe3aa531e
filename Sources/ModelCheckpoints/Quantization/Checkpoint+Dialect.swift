internal import ModelArchitectures
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// Announces how the weights are quantized: in the configuration, and in the file that ModelOpt's readers look for. Nil takes every
  /// announcement away.
  public mutating func setQuantization(_ layout: QuantizationLayout?) {
    quantization = layout
    config.object["compression_config"] = nil
    config.object["quantization_config"] = layout?.config
    carriedFiles.removeAll { $0.name == QuantizationLayout.modelOptFileName }
    if let file = layout?.modelOptFile {
      let bytes = file.serializedBytes(.indented) + [0x0A]
      carriedFiles.append(CarriedFile(name: QuantizationLayout.modelOptFileName, bytes: bytes))
    }
  }

  /// The same codes in another dialect; lazy. Scales get the dialect's name, shape and format.
  ///
  /// - Throws: `notExpressible` if the model is not quantized, if the dialect has no words for how it is, or if a scale is a number
  ///   that the dialect's format cannot hold: codes are never rounded again.
  public func converted(to dialect: QuantizationDialect) throws -> Checkpoint {
    guard var layout = quantization else {
      throw CheckpointError(.notExpressible, "'\(path)' is not quantized, so it has no dialect; see 'quantize'")
    }
    guard dialect != layout.dialect else { return self }
    layout.dialect = dialect
    layout.ignored = ignoredModules(in: dialect)
    var stored = layout
    stored.quantizesKeyValueCache = layout.quantizesKeyValueCache || weights.values.contains { $0.cacheScale != nil }
    try dialect.check(stored)
    let format = dialect.scalesFollowModel ? plainFormat ?? .bf16 : ElementFormat.f32
    var result = self
    for (key, weight) in weights {
      let name = huggingFaceName(of: key)
      if let scale = weight.scale {
        guard scale.granularity == layout.weights, weight.format == .f8E4M3 else {
          throw CheckpointError(
            .notExpressible,
            "tensor '\(name)' is \(weight.format) scaled by \(scale.granularity), dialect '\(dialect.rawValue)' has one kind "
              + "for all: E4M3 by \(layout.weights)")
        }
        result.weights[key]?.scale = ScaleGrid(try exactly(scale.values, format, name), scale.granularity)
      }
      result.weights[key]?.inputScale = try weight.inputScale.map { try exactly($0, format, name) }
      result.weights[key]?.cacheScale = try weight.cacheScale.map { try exactly($0, format, name) }
    }
    result.setQuantization(layout)
    return result
  }

  /// The scales in another format, if each is the same number in it.
  private func exactly(_ scales: LazyTensor, _ format: ElementFormat, _ name: String) throws -> LazyTensor {
    guard scales.format != format else { return scales }
    let converted = scales.converted(to: format, name: name)
    if format == .f32 { return converted }
    guard let values = try? converted.decoded(), try values == scales.decoded() else {
      throw CheckpointError(
        .notExpressible,
        "a scale of '\(name)' is \(scales.format) and no \(format) number, so codes would have to change; "
          + "use 'mtconv quantize' on the unquantized model")
    }
    return converted
  }

  /// The modules that are left as they are, as this dialect lists them: patterns where it takes ours, names elsewhere.
  package func ignoredModules(in dialect: QuantizationDialect) -> [String] {
    let named = (quantization?.ignored ?? []).filter { ModulePattern($0).isName }
    let plain = weights.filter { $0.key.role.isLinear && $0.key.part == .weight && $0.value.scale == nil }
    let modules = plain.keys.map(moduleName)
    return named + modules.filter { !named.contains($0) }
  }
}
