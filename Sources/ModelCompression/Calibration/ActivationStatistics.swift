#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
public import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute
internal import TensorFormats

/// Everything that pruning and static quantization need to know of a model's activations, from one forward pass.
///
/// Importance as in Minitron (arXiv 2407.14679 §2.2): of hidden channels at the outputs of the norms, of neurons at the input of
/// the down projection, of heads at the input of the output projection; of layers by block influence.
public struct ActivationStatistics: Sendable, Equatable {
  /// Sites that are kept for every layer.
  public static let sites: [Site] = [.attentionInput, .attended, .feedForwardInput, .feedForwardInner]

  public private(set) var layers: [[Site: ChannelStatistics]]
  /// At the last norm: what the head reads.
  public private(set) var finalHidden: ChannelStatistics
  public private(set) var influence: BlockInfluence
  /// `[i][n − 1]`: how far the residual stream turns over the `n` layers from `i` on, as a share of a half turn, mean over the last
  /// tokens of the sequences (Gromov et al., arXiv 2403.17887).
  public private(set) var angularDistances: [[Double]]
  /// What skipping layers does to the loss; nil if that was not measured.
  public var layerLosses: LayerLosses?
  public let tokenCount: Int
  public let sequenceCount: Int

  init(
    layers: [[Site: ChannelStatistics]], finalHidden: ChannelStatistics, influence: BlockInfluence,
    angularDistances: [[Double]], layerLosses: LayerLosses? = nil, tokenCount: Int, sequenceCount: Int
  ) {
    self.layers = layers
    self.finalHidden = finalHidden
    self.influence = influence
    self.angularDistances = angularDistances
    self.layerLosses = layerLosses
    self.tokenCount = tokenCount
    self.sequenceCount = sequenceCount
  }

  /// Measures a model on calibration sequences, layer by layer.
  public init(
    of model: Checkpoint, on set: CalibrationSet, progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    let batch = TokenBatch(set.sequences)
    let network = model.network
    var collector = Collector(layerCount: model.hyperparameters.layerCount, batch: batch)
    let stream = try network.run(
      batch, observing: Set(Self.sites + [.blockInput, .blockOutput]), observer: { collector.add($0) },
      progress: { progress(WorkProgress(phase: "calibrating", completed: $0, total: $1, unit: .blocks)) })
    var final = ChannelStatistics(channelCount: stream.columns)
    for sequence in batch.sequences { final.add(try network.finalHidden(stream.view(rows: sequence))) }
    collector.addLastTokens(of: stream)
    self.init(
      layers: collector.layers, finalHidden: final, influence: collector.influence,
      angularDistances: collector.angularDistances, tokenCount: set.tokenCount, sequenceCount: set.sequences.count)
  }
}

/// Gathers statistics while the network runs.
private struct Collector {
  var layers: [[Site: ChannelStatistics]]
  private let batch: TokenBatch
  private var cosines: [Double]
  private var blockInput: Matrix?
  /// Residual streams of the last token of each sequence: one matrix for each layer's input, then the last output.
  private var lastTokens: [Matrix] = []

  init(layerCount: Int, batch: TokenBatch) {
    layers = Array(repeating: [:], count: layerCount)
    cosines = Array(repeating: 0, count: layerCount)
    self.batch = batch
  }

  mutating func add(_ observation: Observation) {
    switch observation.site {
    case .blockInput:
      blockInput = observation.values
      keepLastTokens(observation)
    case .blockOutput:
      if let blockInput { cosines[observation.layer] += cosineSum(blockInput, observation.values) }
    default:
      let columns = observation.values.columns
      for sequence in sequences(in: observation.rows) {
        layers[observation.layer][observation.site, default: ChannelStatistics(channelCount: columns)]
          .add(observation.values.view(rows: sequence))
      }
    }
  }

  mutating func addLastTokens(of output: Matrix) {
    lastTokens.append(Matrix(rows: batch.sequences.count, columns: output.columns))
    for (index, sequence) in batch.sequences.enumerated() where !sequence.isEmpty {
      _ = lastTokens[lastTokens.count - 1][index].update(fromContentsOf: output[sequence.upperBound - 1])
    }
  }

  var influence: BlockInfluence {
    let tokens = Double(max(batch.rows, 1))
    return BlockInfluence(scores: cosines.map { 1 - $0 / tokens }, tokenCount: batch.rows)
  }

  var angularDistances: [[Double]] {
    layers.indices.map { layer in
      (layer + 1..<lastTokens.count).map { angularDistance(lastTokens[layer], lastTokens[$0]) }
    }
  }

  /// Rows within the observation of the sequences it holds; a group is made of whole sequences.
  private func sequences(in rows: Range<Int>) -> [Range<Int>] {
    batch.sequences.filter { rows.contains($0.lowerBound) && !$0.isEmpty }.map {
      $0.lowerBound - rows.lowerBound..<$0.upperBound - rows.lowerBound
    }
  }

  private mutating func keepLastTokens(_ observation: Observation) {
    if lastTokens.count == observation.layer {
      lastTokens.append(.zeros(rows: batch.sequences.count, columns: observation.values.columns))
    }
    for (index, sequence) in batch.sequences.enumerated() where observation.rows.contains(sequence.upperBound - 1) {
      let row = sequence.upperBound - 1 - observation.rows.lowerBound
      _ = lastTokens[observation.layer][index].update(fromContentsOf: observation.values[row])
    }
  }
}

/// Mean over rows of acos(cos) ÷ π.
private func angularDistance(_ a: Matrix, _ b: Matrix) -> Double {
  let sum = (0..<a.rows).reduce(0.0) { sum, row in
    var sums = ErrorSums()
    sums.add(UnsafeBufferPointer(a[row]), UnsafeBufferPointer(b[row]))
    return sum + acos(min(1, max(-1, sums.cosine))) / Double.pi
  }
  return sum / Double(max(a.rows, 1))
}
