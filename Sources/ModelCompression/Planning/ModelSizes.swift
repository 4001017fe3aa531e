public import ModelArchitectures

/// The sizes that pruning changes.
public struct ModelSizes: Sendable, Codable, Hashable {
  public var layers: Int
  public var hidden: Int
  public var intermediate: Int
  public var queryHeads: Int
  public var keyValueHeads: Int

  public init(_ model: Hyperparameters) {
    layers = model.layerCount
    hidden = model.hiddenSize
    intermediate = model.intermediateSize
    queryHeads = model.queryHeadCount
    keyValueHeads = model.keyValueHeadCount
  }

  /// `30 layers, hidden 576, ffn 1536, heads 9/3`
  public var name: String {
    "\(layers) layers, hidden \(hidden), ffn \(intermediate), heads \(queryHeads)/\(keyValueHeads)"
  }

  /// A model of these sizes and otherwise like `parent`.
  ///
  /// Which layers are kept is not known, so the first stand for them.
  func hyperparameters(like parent: Hyperparameters) -> Hyperparameters {
    var result = parent.keeping(layers: Array(0..<layers))
    result.hiddenSize = hidden
    result.intermediateSize = intermediate
    result.queryHeadCount = queryHeads
    result.keyValueHeadCount = keyValueHeads
    return result
  }

  var target: PruningTarget {
    PruningTarget(
      layers: layers, hidden: hidden, intermediate: intermediate, queryHeads: queryHeads, keyValueHeads: keyValueHeads)
  }

  /// Whether no size is larger and one is smaller.
  func isInside(_ other: ModelSizes) -> Bool {
    self != other && layers <= other.layers && hidden <= other.hidden && intermediate <= other.intermediate
      && queryHeads <= other.queryHeads && keyValueHeads <= other.keyValueHeads
  }
}
