public import ModelArchitectures

/// Where an engine that runs a quantized model rounds activations, so that a network computes as it does.
///
/// Gradients pass a rounding unchanged (the straight-through estimate).
public struct EngineRoundings: Sendable, Hashable {
  /// What a linear weight is multiplied with, by the weight.
  public var inputs: [WeightKey: ActivationRounding]
  /// What the key-value cache keeps, by the projection that makes it: keys after their rotation, and values.
  public var cached: [WeightKey: ActivationRounding]

  public init(inputs: [WeightKey: ActivationRounding] = [:], cached: [WeightKey: ActivationRounding] = [:]) {
    self.inputs = inputs
    self.cached = cached
  }

  /// Nothing is rounded.
  public static let none = EngineRoundings()
}
