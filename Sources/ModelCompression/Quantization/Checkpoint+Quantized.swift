internal import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// The model with its linear weights as FP8 codes and scales; lazy. Everything that is not quantized is BF16 unless it is F32 or
  /// F16 in the source.
  public func quantized(by scheme: QuantizationScheme) throws -> Checkpoint {
    try quantized(by: scheme, from: self)
  }

  /// As `quantized(by:)`, with the numbers of linear weights taken from `source`: the same model in a finer format.
  func quantized(by scheme: QuantizationScheme, from source: Checkpoint) throws -> Checkpoint {
    switch scheme.kind {
    case .fp8Dynamic: quantizedByChannel(scheme.rounding, from: source)
    }
  }

  private func quantizedByChannel(_ rounding: QuantizationScheme.Rounding, from source: Checkpoint) -> Checkpoint {
    var result = self
    for (key, weight) in source.weights where key.isQuantizable {
      result.weights[key] = ChannelQuantizer(weight, name: huggingFaceName(of: key), rounding: rounding).quantized
    }
    let ignored = ["lm_head"]
    result.config.object["quantization_config"] = CompressedTensorsConfig.fp8Dynamic(ignoring: ignored)
    return result
  }
}

extension WeightKey {
  /// The head stays as it is: it is the most sensitive matrix, and engines expect it so.
  var isQuantizable: Bool { role.isLinear && role != .head && part == .weight }
}
