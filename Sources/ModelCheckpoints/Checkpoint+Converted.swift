internal import GGUFFormat
internal import ModelArchitectures
internal import OrderedCollections
internal import SafetensorsFormat
public import TensorFormats

extension Checkpoint {
  /// The model in another element format, for a file of this kind; lazy. Scaled codes become plain values.
  ///
  /// In GGUF vectors stay F32 whatever the format, and a matrix whose rows do not fill whole blocks becomes F16, as in llama.cpp.
  public func converted(to format: ElementFormat, for fileFormat: FileFormat) -> Checkpoint {
    var result = self
    for (key, weight) in weights {
      let name = huggingFaceName(of: key)
      let target = format.fitting(shape: weight.shape, in: fileFormat)
      result.weights[key] = Weight(weight.finest.plain.converted(to: target, name: name))
    }
    result.setQuantization(nil)
    return result
  }

  /// The model in its own element formats, with vectors as a file of this kind has them; lazy. GGUF wants F32 vectors, which loses
  /// nothing.
  public func fitted(for fileFormat: FileFormat) -> Checkpoint {
    guard fileFormat == .gguf else { return self }
    var result = self
    for (key, weight) in weights where weight.shape.count < 2 && weight.scale == nil {
      result.weights[key] = Weight(weight.finest.values.converted(to: .f32, name: huggingFaceName(of: key)))
    }
    return result
  }

  /// The model with the numbers of a cut as they were before they got back into the formats of the parent; lazy.
  package var unrounded: Checkpoint {
    var result = self
    for (key, weight) in weights where weight.unrounded != nil { result.weights[key] = weight.finest }
    return result
  }

  /// The format to convert to where nothing else is asked for: BF16 from GGUF to Hugging Face, and wherever the target cannot hold
  /// the model's own formats, but F32 for F64; nil where nothing has to change.
  public func defaultFormat(for fileFormat: FileFormat) -> ElementFormat? {
    if fileFormat == .gguf, weights.values.contains(where: { $0.format == .f64 && !$0.fits(.gguf) }) { return .f32 }
    let leavesGGUF = self.fileFormat == .gguf && fileFormat == .huggingFace
    return leavesGGUF || !fits(fileFormat) ? .bf16 : nil
  }

  /// Whether a file of this kind can hold every weight as it is.
  public func fits(_ fileFormat: FileFormat) -> Bool {
    weights.values.allSatisfy { $0.fits(fileFormat) }
  }
}

extension Weight {
  /// Whether a file of this kind can hold it as it is. llama.cpp computes with no F64 matrix, though GGUF has a number for it.
  func fits(_ fileFormat: Checkpoint.FileFormat) -> Bool {
    switch fileFormat {
    case .huggingFace: format.isSafetensorsFormat
    case .gguf: format.ggmlType != nil && scale == nil && (format != .f64 || shape.count < 2)
    }
  }
}

extension ElementFormat {
  /// This format, or the plain one that stands in for it where a tensor of this shape cannot have it.
  package func fitting(shape: [Int], in fileFormat: Checkpoint.FileFormat) -> ElementFormat {
    if fileFormat == .gguf, shape.count < 2 { return .f32 }
    return (shape.last ?? 1).isMultiple(of: blockElements) ? self : .f16
  }
}
