/// One row of a family's weight table: a weight's shape in symbolic axes and its names in both file formats.
public struct WeightSpec: Hashable, Sendable {
  public let role: WeightRole
  public let part: WeightKey.Part
  /// Dimensions from the slowest to the fastest, as in a Hugging Face file: a linear weight is `(out, in)`.
  public let dimensions: [Dimension]
  public let huggingFaceTemplate: String
  public let ggufTemplate: String
  public let transform: GGUFTransform

  /// The tensor's shape in a model of these sizes.
  public func shape(in hyperparameters: Hyperparameters) -> [Int] {
    dimensions.map { $0.size(in: hyperparameters) }
  }

  /// The tensor name in a Hugging Face checkpoint, for example `model.layers.3.self_attn.q_proj.weight`.
  public func huggingFaceName(layer: Int? = nil) -> String { Self.name(huggingFaceTemplate, layer) }

  /// The tensor name in a GGUF file, for example `blk.3.attn_q.weight`.
  public func ggufName(layer: Int? = nil) -> String { Self.name(ggufTemplate, layer) }

  static let layerMark = "{layer}"

  private static func name(_ template: String, _ layer: Int?) -> String {
    guard let layer, let mark = template.firstRange(of: layerMark) else { return template }
    return template.replacingCharacters(in: mark, with: String(layer))
  }
}

extension String {
  fileprivate func firstRange(of mark: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(mark) { return start..<index(start, offsetBy: mark.count) }
      start = index(after: start)
    }
    return nil
  }

  fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
