public import ModelArchitectures
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// The model with only some layers, and of each axis only some indices; lazy.
  ///
  /// One cut of an axis goes through every weight that lies on it, so shapes always fit together. Layers are renumbered; what
  /// depends on a layer's place keeps its original value. The head size is written explicitly from then on.
  /// - Parameters:
  ///   - layers: kept layers, by their number in this model.
  ///   - indices: kept indices of each axis that is cut, layers by their number in this model.
  /// - Throws: `CheckpointError.invalidCut` for indices that do not exist, stand twice, or leave layers of different widths.
  public func keeping(layers: [Int], indices: [ScopedAxis: [Int]] = [:]) throws -> Checkpoint {
    guard layers.allSatisfy((0..<hyperparameters.layerCount).contains) else {
      throw CheckpointError(.invalidCut, "layers \(layers) are kept of a model of \(hyperparameters.layerCount)")
    }
    try validate(indices)
    var result = self
    result.hyperparameters = try hyperparameters.keeping(layers: layers, indices: indices)
    result.config = config.updated(
      from: hyperparameters, to: result.hyperparameters, architecture: architecture)
    result.weights = [:]
    for (key, spec) in architecture.weights(for: result.hyperparameters) {
      let layer = key.layer.map { layers[$0] }
      let source = WeightKey(key.role, key.part, layer: layer)
      result.weights[key] = weights[source]?.cut(
        spec.dimensions.map { keptIndices(of: $0, layer: layer, indices) },
        name: spec.huggingFaceName(layer: layer))
    }
    result.keepEmbeddingScale(of: hyperparameters)
    try result.renumberModules(of: self, kept: layers)
    return result
  }

  /// A family that multiplies embeddings by √hidden would shrink them when the hidden size shrinks; the table is enlarged by as much.
  /// A tied head reads the same table, so the last norm takes the factor back.
  private mutating func keepEmbeddingScale(of parent: Hyperparameters) {
    guard architecture.scalesEmbedding, hyperparameters.hiddenSize != parent.hiddenSize else { return }
    let factor = (Double(parent.hiddenSize) / Double(hyperparameters.hiddenSize)).squareRoot()
    map(WeightKey(.embedding), by: factor, plus: 0)
    guard hyperparameters.tiesHead else { return }
    // offset + w' = (offset + w) / factor
    let offset = architecture.normOffset
    map(WeightKey(.finalNorm), by: 1 / factor, plus: offset / factor - offset)
  }

  private mutating func map(_ key: WeightKey, by factor: Double, plus offset: Double) {
    let weight = weights[key]!
    weights[key]!.values = weight.values.mapped(by: factor, plus: offset)
    weights[key]!.unrounded = weight.finest.values.converted(to: .f32, name: "").mapped(by: factor, plus: offset)
  }

  /// Kept positions along a dimension; nil if it is not cut.
  private func keptIndices(of dimension: Dimension, layer: Int?, _ indices: [ScopedAxis: [Int]]) -> [Int]? {
    let kept = dimension.axes.map { axis in indices[ScopedAxis(axis, layer: axis.scope == .layer ? layer : nil)] }
    guard kept.contains(where: { $0 != nil }) else { return nil }
    return zip(dimension.axes, kept).reduce([0]) { positions, next in
      let size = hyperparameters.size(of: next.0)
      let inner = next.1 ?? Array(0..<size)
      return positions.flatMap { position in inner.map { position * size + $0 } }
    }
  }

  private func validate(_ indices: [ScopedAxis: [Int]]) throws {
    for (axis, kept) in indices {
      let size = hyperparameters.size(of: axis.axis)
      guard axis.axis != .headDimension, axis.axis != .vocabulary else {
        throw CheckpointError(.invalidCut, "axis '\(axis)' cannot be cut")
      }
      guard !kept.isEmpty, kept.allSatisfy((0..<size).contains), Set(kept).count == kept.count else {
        throw CheckpointError(.invalidCut, "axis '\(axis)' keeps indices that are not distinct numbers below \(size)")
      }
    }
  }
}

extension Hyperparameters {
  fileprivate func keeping(layers: [Int], indices: [ScopedAxis: [Int]]) throws -> Hyperparameters {
    var result = keeping(layers: layers)
    result.hiddenSize = indices[ScopedAxis(.hidden)]?.count ?? hiddenSize
    result.intermediateSize = try width(of: .intermediate, layers, indices)
    result.queryHeadCount = try width(of: .queryHead, layers, indices)
    result.keyValueHeadCount = try width(of: .keyValueHead, layers, indices)
    guard result.queryHeadCount.isMultiple(of: result.keyValueHeadCount) else {
      throw CheckpointError(
        .invalidCut,
        "\(result.queryHeadCount) query heads cannot share \(result.keyValueHeadCount) key-value heads evenly")
    }
    return result
  }

  /// The one width that all kept layers have; file formats hold no other models.
  private func width(of axis: Axis, _ layers: [Int], _ indices: [ScopedAxis: [Int]]) throws -> Int {
    let widths = Set(layers.map { indices[ScopedAxis(axis, layer: $0)]?.count ?? size(of: axis) })
    guard widths.count <= 1 else {
      throw CheckpointError(
        .invalidCut, "layers keep \(axis.rawValue) counts of \(widths.sorted()), expected the same in all")
    }
    return widths.first ?? size(of: axis)
  }
}

extension Weight {
  /// The positions of each dimension that are kept; nil keeps all.
  ///
  /// Codes and scales stay as they are where a scale still has one block to speak for. Where a cut runs through blocks, scaled codes become
  /// plain numbers, and those of a block format are rounded again.
  fileprivate func cut(_ kept: [[Int]?], name: String) -> Weight {
    let rows = kept[0]
    let columns = kept.count > 1 ? kept[1] : nil
    guard rows != nil || columns != nil else { return self }
    var result = self
    if let scale {
      if let scale = scale.cut(rows: rows, columns: columns) {
        result.scale = scale
      } else {
        result.values = plain
        result.scale = nil
      }
    }
    if let rows { result.values = result.values.gatheringRows(rows) }
    if let columns { result.values = result.values.gatheringColumns(columns, name: name) }
    if unrounded != nil || columns != nil && values.format.blockElements > 1 {
      var numbers = finest.values.converted(to: .f32, name: name)
      if let rows { numbers = numbers.gatheringRows(rows) }
      if let columns { numbers = numbers.gatheringColumns(columns, name: name) }
      result.unrounded = numbers
    }
    return result
  }
}
