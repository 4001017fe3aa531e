/// Keys and values of the tokens that came before a batch, for one layer: what attention sees besides the batch itself.
///
/// Empty when a pass runs layer by layer; a driver that generates token by token keeps one for each layer.
public struct KeyValueState: Sendable {
  /// For each sequence of the batch its earlier keys, rotated, and values: `tokens × (key heads · head dimension)` each.
  public var sequences: [(keys: Matrix, values: Matrix)]

  public init(sequences: [(keys: Matrix, values: Matrix)]) { self.sequences = sequences }

  public static let empty = KeyValueState(sequences: [])
}
