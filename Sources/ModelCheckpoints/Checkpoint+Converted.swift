internal import ModelArchitectures
internal import OrderedCollections
public import TensorFormats

extension Checkpoint {
  /// The model with all its matrices and vectors in one format; lazy. Scaled codes become plain values.
  ///
  /// Block formats are for matrices whose rows fill whole blocks; what they cannot hold becomes F16, and vectors F32, as in GGUF.
  public func converted(to format: ElementFormat) -> Checkpoint {
    var result = self
    for (key, weight) in weights {
      let name = huggingFaceName(of: key)
      let target = format.fitting(shape: weight.shape)
      result.weights[key] = Weight(weight.plain(name: name).converted(to: target, name: name))
    }
    result.config.object["quantization_config"] = nil
    return result
  }
}

extension ElementFormat {
  /// This format, or the plain one that stands in for it where a tensor of this shape does not fill its blocks.
  func fitting(shape: [Int]) -> ElementFormat {
    guard kind == .quantizedBlock else { return self }
    if shape.count < 2 { return .f32 }
    return (shape.last ?? 1).isMultiple(of: blockElements) ? self : .f16
  }
}
