/// Names one tensor of a model: its role, the part of it, and the layer if it belongs to one.
public struct WeightKey: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The matrix or scale vector, or the vector added after it.
  public enum Part: String, CaseIterable, Sendable, Codable { case weight, bias }

  public let role: WeightRole
  public let part: Part
  public let layer: Int?

  public init(_ role: WeightRole, _ part: Part = .weight, layer: Int? = nil) {
    self.role = role
    self.part = part
    self.layer = layer
  }

  public var description: String {
    (layer.map { "layers.\($0)." } ?? "") + "\(role.rawValue).\(part.rawValue)"
  }
}
