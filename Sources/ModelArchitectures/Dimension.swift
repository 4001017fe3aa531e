/// One dimension of a weight: the axes whose indices it enumerates, slowest first.
///
/// The rows of a query projection are `[.queryHead, .headDimension]`: head by head, channel by channel.
public struct Dimension: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  public let axes: [Axis]

  public init(arrayLiteral axes: Axis...) { self.axes = axes }

  /// The product of the axes' sizes.
  public func size(in hyperparameters: Hyperparameters) -> Int {
    axes.reduce(1) { $0 * hyperparameters.size(of: $1) }
  }

  public var description: String { axes.map(\.rawValue).joined(separator: "·") }
}
