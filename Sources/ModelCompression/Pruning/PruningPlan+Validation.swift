internal import ModelArchitectures
public import ModelCheckpoints
public import TensorFormats

extension PruningPlan {
  /// Throws `CompressionError.invalidPlan` if the plan cannot be carried out on a model: plans are edited by hand.
  public func validate(for model: Checkpoint, contentHash: ContentHash? = nil) throws {
    let sizes = model.hyperparameters
    guard parentLayerCount == sizes.layerCount else {
      throw CompressionError(
        .invalidPlan, "the plan is for \(parentLayerCount) layers, the model has \(sizes.layerCount)")
    }
    try parent?.check(Parent(model, contentHash: contentHash))
    try validate()
    for axis in keptIndices.keys.sorted(by: { $0.description < $1.description }) { try validate(axis, sizes) }
    for axis in [Axis.intermediate, .queryHead, .keyValueHead] { try validateWidths(of: axis, sizes) }
    for layer in keptLayers { try validateGroups(of: layer, sizes) }
  }

  /// The same, reading the model for its content hash if the plan names that of its parent.
  public func validate(for model: Checkpoint, progress: @escaping WorkProgress.Handler) throws {
    try validate(for: model, contentHash: parent?.contentHash == nil ? nil : model.contentHash(progress: progress))
  }

  private func validate(_ axis: ScopedAxis, _ sizes: Hyperparameters) throws {
    guard axis.axis != .vocabulary, axis.axis != .headDimension else {
      throw CompressionError(.invalidPlan, "axis '\(axis)' cannot be cut")
    }
    let (kept, size) = (keptIndices[axis]!, sizes.size(of: axis.axis))
    guard !kept.isEmpty else { throw CompressionError(.invalidPlan, "axis '\(axis)' keeps no index") }
    if let index = kept.first(where: { !(0..<size).contains($0) }) {
      throw CompressionError(.invalidPlan, "axis '\(axis)' keeps index \(index), expected 0 to \(size - 1)")
    }
    for (index, next) in zip(kept, kept.dropFirst()) where index >= next {
      throw CompressionError(
        .invalidPlan,
        index == next
          ? "axis '\(axis)' keeps index \(index) twice"
          : "axis '\(axis)' keeps index \(next) after \(index), expected ascending indices")
    }
  }

  /// All kept layers have the same widths: file formats hold no other models.
  private func validateWidths(of axis: Axis, _ sizes: Hyperparameters) throws {
    func width(_ layer: Int) -> Int { keptIndices[ScopedAxis(axis, layer: layer)]?.count ?? sizes.size(of: axis) }
    let first = keptLayers[0]
    if let other = keptLayers.first(where: { width($0) != width(first) }) {
      throw CompressionError(
        .invalidPlan,
        "layer \(other) keeps \(width(other)) indices of '\(axis.rawValue)' and layer \(first) \(width(first)),"
          + " expected the same in all layers")
    }
  }

  /// Every kept key-value head keeps as many of its query heads as the others, and no query head stays without its key-value head.
  private func validateGroups(of layer: Int, _ sizes: Hyperparameters) throws {
    guard sizes.keyValueHeadCount > 0 else { return }
    let axis = ScopedAxis(.queryHead, layer: layer)
    let heads = keptIndices[axis] ?? Array(0..<sizes.queryHeadCount)
    let groups = keptIndices[ScopedAxis(.keyValueHead, layer: layer)] ?? Array(0..<sizes.keyValueHeadCount)
    let groupSize = sizes.queryHeadCount / sizes.keyValueHeadCount
    let counts = Dictionary(grouping: heads) { $0 / groupSize }.mapValues(\.count)
    if let orphan = heads.first(where: { !groups.contains($0 / groupSize) }) {
      throw CompressionError(
        .invalidPlan,
        "axis '\(axis)' keeps head \(orphan), whose key-value head \(orphan / groupSize) is dropped")
    }
    let expected = counts[groups[0]] ?? 0
    if let group = groups.first(where: { counts[$0] ?? 0 != expected }) {
      throw CompressionError(
        .invalidPlan,
        "axis '\(axis)' keeps \(counts[group] ?? 0) heads of group \(group) and \(expected) of group \(groups[0]),"
          + " expected as many in every group")
    }
  }
}
