internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompute

/// How alike the residual streams of two models are where one layer of both begins.
public struct StreamSimilarity: Sendable, Codable, Equatable {
  /// The layer of the result; nil stands for what its last norm reads.
  public let layer: Int?
  /// The same layer in the parent.
  public let parentLayer: Int?
  /// Mean over tokens of the cosine of what the layer reads in both models, over the channels that both have.
  public let cosine: Double
}

/// Runs two models side by side, a layer at a time, and compares what each kept layer reads.
///
/// What a layer reads is where healing shows: a map that stands for dropped layers makes the output of the layer before them unlike
/// the parent's, and the input of the layer behind them like it.
struct StreamComparison {
  private let parent: Network
  private let result: Network
  /// For each layer of the result, the parent's; empty if the two have nothing to compare.
  private let kept: [Int]
  /// For each hidden channel of the result, the parent's; nil if they are the same.
  private let channels: [Int]?
  private var sums: [Double]
  private var tokens = 0

  init(of result: Network, with parent: Network, plan: PruningPlan?) {
    (self.parent, self.result) = (parent, result)
    let kept = plan?.keptLayers ?? Array(0..<parent.hyperparameters.layerCount)
    channels = plan?.keptIndices[ScopedAxis(.hidden)]
    let width = channels?.count ?? parent.hyperparameters.hiddenSize
    let isComparable =
      kept.count == result.hyperparameters.layerCount && width == result.hyperparameters.hiddenSize
    self.kept = isComparable ? kept : []
    sums = [Double](repeating: 0, count: self.kept.count + 1)
  }

  var layers: [StreamSimilarity] {
    guard !kept.isEmpty, tokens > 0 else { return [] }
    let cosines = sums.map { $0 / Double(tokens) }
    return kept.indices.map { StreamSimilarity(layer: $0, parentLayer: kept[$0], cosine: cosines[$0]) }
      + [StreamSimilarity(layer: nil, parentLayer: nil, cosine: cosines[kept.count])]
  }

  /// The final hidden states of both models for one group, tokens × hidden, with the comparison made on the way.
  mutating func hidden(
    of group: [[Int]], progress: @escaping (_ share: Double) -> Void
  ) throws -> (parent: Matrix, result: Matrix) {
    let batch = TokenBatch(group)
    let (ours, theirs) = (result, parent)
    let layerCount = parent.hyperparameters.layerCount
    var (stream, parentStream) = (try ours.embed(batch), try theirs.embed(batch))
    var position = 0
    for (layer, parentLayer) in kept.enumerated() {
      parentStream = try theirs.run(batch, from: parentStream, layers: position..<parentLayer)
      sums[layer] += Self.cosines(stream, parentStream, channels)
      stream = try ours.run(batch, from: stream, layers: layer..<layer + 1)
      parentStream = try theirs.run(batch, from: parentStream, layers: parentLayer..<parentLayer + 1)
      position = parentLayer + 1
      progress(Double(position) / Double(layerCount + 1))
    }
    parentStream = try theirs.run(batch, from: parentStream, layers: position..<layerCount)
    if kept.isEmpty {
      stream = try ours.run(batch, from: stream)
    } else {
      sums[kept.count] += Self.cosines(stream, parentStream, channels)
      tokens += batch.rows
    }
    progress(1)
    return (try theirs.finalHidden(parentStream), try ours.finalHidden(stream))
  }

  /// The sum over rows of the cosine of `result` and of the channels of `parent` that it has.
  private static func cosines(_ result: Matrix, _ parent: Matrix, _ channels: [Int]?) -> Double {
    let cosines = result.mapRows { row, index -> Double in
      let other = parent[index]
      var (x2, y2, xy) = (0.0, 0.0, 0.0)
      for position in row.indices {
        let (x, y) = (Double(row[position]), Double(other[channels?[position] ?? position]))
        x2 += x * x
        y2 += y * y
        xy += x * y
      }
      let norm = (x2 * y2).squareRoot()
      guard norm.isFinite else { return Double.nan }
      return norm > 0 ? xy / norm : x2 == y2 ? 1 : 0
    }
    return cosines.reduce(0, +)
  }
}
