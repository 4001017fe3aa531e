internal import ModelArchitectures
public import ModelCheckpoints
public import TensorFormats

/// Makes plans for one model: what is kept when sizes are given, and why.
public struct Planner: Sendable {
  public let model: Checkpoint
  public let statistics: ActivationStatistics
  public let settings: Importance.Settings
  /// What it costs to drop layers.
  public let costs: LayerCosts
  /// Whether the layers that go are neighbours.
  public let isContiguous: Bool
  /// `Checkpoint.contentHash` of the model, if known; plans carry it.
  public var contentHash: ContentHash?
  let importance: Importance

  public init(
    for model: Checkpoint, by statistics: ActivationStatistics, costs: LayerCosts, isContiguous: Bool,
    settings: Importance.Settings = Importance.Settings()
  ) {
    self.model = model
    self.statistics = statistics
    self.costs = costs
    self.isContiguous = isContiguous
    self.settings = settings
    let sizes = model.hyperparameters
    importance = Importance(
      statistics, headDimension: sizes.headDimension, keyValueHeadCount: sizes.keyValueHeadCount, settings: settings)
  }

  /// The plan that keeps what matters most.
  ///
  /// - Parameter reason: what decided a size, by its name in the reasons of the plan.
  /// - Throws: `CompressionError.invalidPlan` for a size that the model cannot be cut to.
  public func plan(to target: PruningTarget, reason: (_ axis: String) -> String) throws -> PruningPlan {
    let sizes = model.hyperparameters
    var plan = try PruningPlan(
      for: sizes, to: target, costs: costs, isContiguous: isContiguous, importance)
    plan.parent = PruningPlan.Parent(model, contentHash: contentHash)
    if target.layers.map({ $0 != sizes.layerCount }) ?? false {
      plan.reasons.append(
        PruningPlan.Reason(
          axis: "layers", parent: sizes.layerCount, kept: plan.keptLayers.count, criterion: costs.criterion.rawValue,
          settings: ["shape": isContiguous ? "contiguous" : "scattered"], target: reason("layers")))
    }
    let widths: [(Axis, Int?)] = [
      (.hidden, target.hidden), (.intermediate, target.intermediate), (.queryHead, target.queryHeads),
      (.keyValueHead, target.keyValueHeads),
    ]
    for case (let axis, let kept?) in widths where kept != sizes.size(of: axis) {
      plan.reasons.append(
        PruningPlan.Reason(
          axis: axis.rawValue, parent: sizes.size(of: axis), kept: kept, criterion: "importance",
          settings: importanceSettings(of: axis), target: reason(axis.rawValue)))
    }
    return plan
  }

  private func importanceSettings(of axis: Axis) -> [String: String] {
    let sequence = axis == .intermediate ? settings.neuronSequence : settings.sequence
    var result = ["sequence": sequence.rawValue, "batch": settings.batch.rawValue]
    if axis == .hidden { result["finalNorm"] = settings.includesFinalNorm ? "included" : "left out" }
    return result
  }
}
