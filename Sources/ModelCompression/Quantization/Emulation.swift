public import ModelCheckpoints
internal import ModelCompute
internal import OrderedCollections

/// How much of what an engine does with a quantized model a forward pass does, too.
///
/// Weights are always codes times scales. An engine also rounds to FP8 what these are multiplied with, and its key-value cache.
public struct Emulation: Sendable, Hashable {
  /// Whether inputs of quantized matrices are rounded as the checkpoint says.
  public var roundsActivations: Bool
  public var cache: Cache

  public enum Cache: String, CaseIterable, Sendable, Codable {
    /// As the checkpoint says.
    case auto
    /// E4M3, with the checkpoint's scales; 1 where it has none, as engines do when they are told to.
    case fp8
    /// As it comes.
    case plain
  }

  public init(roundsActivations: Bool = true, cache: Cache = .auto) {
    self.roundsActivations = roundsActivations
    self.cache = cache
  }

  /// For the model that one that runs so is compared with: a cache that an engine is told to round is part of the cost.
  var ofParent: Emulation { Emulation(roundsActivations: roundsActivations, cache: cache == .fp8 ? .auto : cache) }

  /// What the checkpoint says of itself: what an engine computes.
  public static let declared = Emulation()
  /// Activations and cache as they come.
  public static let weightsOnly = Emulation(roundsActivations: false, cache: .plain)
}

/// What was rounded in a forward pass, for reports.
public struct EmulationSummary: Sendable, Codable, Equatable {
  /// How inputs of quantized matrices were rounded to E4M3; nil if they were not.
  public let activations: String?
  /// How keys and values were; nil if they were not.
  public let keyValueCache: String?

  /// Nil for a pass that is nothing but the model: its weights are plain numbers, and nothing is rounded.
  public init?(of model: Checkpoint, _ emulation: Emulation) throws {
    let roundings = try model.roundings(emulation)
    guard model.quantization != nil || !roundings.cached.isEmpty else { return nil }
    activations = roundings.inputs.isEmpty ? nil : model.quantization?.activations.description
    let isCalibrated = model.weights.values.contains { $0.cacheScale != nil }
    keyValueCache = roundings.cached.isEmpty ? nil : isCalibrated ? "calibrated scales" : "scale 1"
  }

  /// One line.
  public var text: String {
    switch (activations, keyValueCache) {
    case (nil, nil): "weights only: activations and cache as they come"
    case (let activations?, nil): "activations as E4M3, \(activations)"
    case (nil, let cache?): "key-value cache as E4M3, \(cache); activations as they come"
    case (let activations?, let cache?): "activations as E4M3, \(activations); key-value cache as E4M3, \(cache)"
    }
  }
}
