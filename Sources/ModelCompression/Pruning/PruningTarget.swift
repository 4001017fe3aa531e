/// The sizes a pruned model shall have; nil keeps the parent's.
public struct PruningTarget: Sendable, Codable, Equatable {
  public var layers: Int?
  public var hidden: Int?
  public var intermediate: Int?
  public var queryHeads: Int?
  public var keyValueHeads: Int?

  public init(
    layers: Int? = nil, hidden: Int? = nil, intermediate: Int? = nil, queryHeads: Int? = nil, keyValueHeads: Int? = nil
  ) {
    self.layers = layers
    self.hidden = hidden
    self.intermediate = intermediate
    self.queryHeads = queryHeads
    self.keyValueHeads = keyValueHeads
  }
}
