public import ModelArchitectures
public import ModelCheckpoints

/// Everything that pruning and static quantization need to know of a model's activations, from one forward pass.
///
/// Importance as in Minitron (arXiv 2407.14679 §2.2): of hidden channels at the outputs of the norms, of neurons at the input of
/// the down projection, of heads at the input of the output projection; of layers by block influence. Scales of static FP8: of
/// activations at what every linear step reads, of a key-value cache at what attention keeps.
public struct ActivationStatistics: Sendable, Equatable {
  /// Sites that are kept for every layer that has them: what its linear steps read, and keys (rotated) and values as a cache holds them.
  public static let sites: [Site] = [
    .attentionInput, .attended, .feedForwardInput, .feedForwardInner, .keyRotated, .value,
  ]

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

  /// Measures a model on calibration sequences, layer by layer, with the residual stream in memory.
  /// - Throws: `CompressionError.notEnoughText` for a set without tokens, and what the forward pass throws.
  public init(
    of model: Checkpoint, on set: CalibrationSet, progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    self = try Calibration(of: model, on: set).run(progress: progress)
  }

  /// How wide a site is in a model of these sizes; nil for a site that is not kept.
  static func width(of site: Site, _ sizes: Hyperparameters) -> Int? {
    switch site {
    case .attentionInput, .feedForwardInput, .finalHidden: sizes.hiddenSize
    case .attended: sizes.queryHeadCount * sizes.headDimension
    case .feedForwardInner: sizes.intermediateSize
    case .keyRotated, .value: sizes.keyValueHeadCount * sizes.headDimension
    default: nil
    }
  }
}
