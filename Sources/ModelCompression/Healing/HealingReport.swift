public import TensorFormats

/// One weight that healing looked at, and whether the result was better with it.
public struct HealingStep: Sendable, Codable, Equatable {
  public enum Kind: String, Sendable, Codable {
    /// Least squares of a projection into the residual stream, so that the stream comes back to the parent's.
    case output
    /// Least squares of the projections behind a norm, so that they give from their own input what the parent's gave from its.
    case input
    /// A norm's weight times one number, for the channels that it no longer sees.
    case normScale
  }

  public var kind: Kind
  /// The layer in the pruned model, and in the parent; nil for the last norm.
  public var layer: Int?
  public var parentLayer: Int?
  /// Tensor names of the weights that are replaced, or would have been.
  public var weights: [String]
  /// Strength of the ridge, in multiples of the inputs' squares; nil where there is none.
  public var ridge: Double?
  /// Squared error of what the weights contribute to, relative to the parent's, mean over held-out tokens.
  public var errorBefore: Double
  public var errorAfter: Double
  /// Whether the weights are in the overlay.
  public var isKept: Bool
  /// Why not, if not.
  public var reason: String?
}

/// What healing did: written as `healing.json`.
public struct HealingReport: Sendable, Codable, Equatable {
  public var tool = "mtconv \(Recipe.version)"
  public var settings: Healer.Settings
  /// Tokens that weights were fitted to, the held-out ones among them once the strength was chosen.
  public var tokens: Int
  /// Tokens that decided about strengths and about keeping a step.
  public var heldOutTokens: Int
  /// In the order in which they were taken.
  public var steps: [HealingStep]

  public var keptStepCount: Int { steps.count { $0.isKept } }

  /// What a recipe keeps of it: enough to heal again.
  public var summary: JSON {
    get throws {
      [
        "settings": try JSON(encoding: settings), "tokens": .int(tokens), "heldOutTokens": .int(heldOutTokens),
        "steps": .int(steps.count), "keptSteps": .int(keptStepCount),
      ]
    }
  }

  /// Writes the report as JSON; the file appears under its name when it is complete.
  public func write(to path: String, overwrite: Bool = false) throws {
    let output = try OutputFile(path: path, overwrite: overwrite)
    try output.write(JSON(encoding: self).serializedBytes(.indented) + [0x0A])
    try output.commit()
  }
}

/// Weights that take the place of a pruned model's, and how they came about.
public struct Healing: Sendable {
  public let overlay: WeightOverlay
  public let report: HealingReport

  public init(overlay: WeightOverlay, report: HealingReport) {
    self.overlay = overlay
    self.report = report
  }

  public var steps: [HealingStep] { report.steps }
}
