internal import ModelArchitectures
public import ModelCheckpoints

/// Which place in the teacher each layer of the student stands for.
public struct LayerPairing: Sendable, Equatable {
  /// For each student layer, how many of the teacher's layers have been run where it has written its output: those before the next
  /// layer that was kept.
  public let depths: [Int]
  /// The same for what it reads.
  public let inputDepths: [Int]
  /// For each channel of the student's residual stream, the teacher's channel that it was; nil if none was dropped.
  public let channels: [Int]?

  /// By the plan that the student was made with; without one, layers are spread evenly and channels must be the same.
  /// - Throws: `CompressionError.wrongRecipe` if the plan is for another teacher.
  public init(student: Checkpoint, teacher: Checkpoint, plan: PruningPlan?) throws {
    let (own, all) = (student.hyperparameters.layerCount, teacher.hyperparameters.layerCount)
    var starts = (0..<own).map { $0 * all / own }
    channels = plan?.keptIndices[.init(.hidden)]
    if let plan {
      guard plan.parentLayerCount == all, plan.keptLayers.count == own else {
        throw CompressionError(
          .wrongRecipe,
          "the student was cut from \(plan.parentLayerCount) layers to \(plan.keptLayers.count);"
            + " it has \(own) and the teacher \(all)")
      }
      starts = plan.keptLayers
    }
    inputDepths = starts
    depths = Array(starts.dropFirst()) + [all]
    let width = channels?.count ?? teacher.hyperparameters.hiddenSize
    guard width == student.hyperparameters.hiddenSize else {
      throw CompressionError(
        .wrongRecipe,
        "the student's hidden size is \(student.hyperparameters.hiddenSize), expected \(width) from the teacher and the plan"
      )
    }
  }
}
