/// An axis where it belongs: the hidden axis of the model, or the neurons of one layer.
public struct ScopedAxis: Hashable, Sendable, CustomStringConvertible {
  public let axis: Axis
  /// The layer for an axis that each layer has for itself; nil for one that all share.
  public let layer: Int?

  public init(_ axis: Axis, layer: Int? = nil) {
    precondition((axis.scope == .layer) == (layer != nil), "\(axis.rawValue) belongs to \(axis.scope)")
    self.axis = axis
    self.layer = layer
  }

  /// `hidden`, `layers.3.intermediate`
  public var description: String { (layer.map { "layers.\($0)." } ?? "") + axis.rawValue }

  /// The axis of a description; nil if it names none.
  public init?(_ description: String) {
    let parts = description.split(separator: ".", omittingEmptySubsequences: false)
    switch parts.count {
    case 1:
      guard let axis = Axis(rawValue: description), axis.scope == .model else { return nil }
      self.init(axis)
    case 3:
      guard parts[0] == "layers", let layer = Int(parts[1]), layer >= 0, "\(layer)" == parts[1],
        let axis = Axis(rawValue: String(parts[2])), axis.scope == .layer
      else { return nil }
      self.init(axis, layer: layer)
    default: return nil
    }
  }
}
