/// What a forward pass keeps for the backward pass over the same steps.
///
/// Only sites whose values a gradient depends on are kept; attention probabilities are computed again.
public final class Trace {
  var sites = Sites()

  public init() {}
}
