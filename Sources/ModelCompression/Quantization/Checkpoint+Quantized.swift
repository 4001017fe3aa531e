internal import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// The model with its linear weights as FP8 codes and scales; lazy. Everything that is not quantized is BF16 unless it is F32 or
  /// F16 in the source.
  public func quantized(by scheme: QuantizationScheme) throws -> Checkpoint {
    switch scheme.kind {
    case .fp8Dynamic: try quantizedByChannel(scheme.rounding)
    }
  }

  private func quantizedByChannel(_ rounding: QuantizationScheme.Rounding) throws -> Checkpoint {
    var result = self
    for (key, weight) in weights where key.isQuantizable {
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
