internal import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

/// What a model of given sizes costs: parameters, bytes, operations and key-value cache, each for one sequence of `context` tokens.
///
/// An operation is a multiplication or an addition of a matrix product: the projections, the head, and attention over what a token
/// sees. Norms, activations and the softmax are not counted.
public struct ModelFootprint: Sendable, Codable, Equatable {
  /// Trained parameters; a tied head counts once.
  public let parameters: Int
  /// Bytes of all tensors as they are written, scales included.
  public let weightBytes: Int
  /// Tokens of the sequence that the other numbers are for.
  public let context: Int
  /// Bytes that the key-value cache grows by with a token, as long as every layer still sees all of them.
  public let cacheBytesPerToken: Int
  /// Bytes of the key-value cache at `context`; a sliding layer keeps no more than its window.
  public let cacheBytes: Int
  /// Operations to make the last of `context` tokens.
  public let decodeOperations: Int
  /// Operations for a token of a prompt of `context` tokens, on average.
  public let prefillOperations: Int
  /// Bytes read to make the last of `context` tokens: every weight once (of the embedding one row, unless the head is tied to it) and
  /// the cache.
  public let decodeBytes: Int

  /// Bytes that an engine needs for weights and cache.
  public var memoryBytes: Int { weightBytes + cacheBytes }

  /// Of a model whose weights have the formats that they are written in, such as `OutputFormat.outline(of:)` gives.
  public init(ofWritten model: Checkpoint, as output: OutputFormat, context: Int) throws {
    self.init(
      model.hyperparameters, of: model.architecture, weightBytes: try model.byteCount(as: output.fileFormat),
      embeddingBytes: model.weights[WeightKey(.embedding)]?.byteCount ?? 0, cacheFormat: output.cacheFormat,
      context: context)
  }

  init(
    _ sizes: Hyperparameters, of architecture: Architecture, weightBytes: Int, embeddingBytes: Int,
    cacheFormat: ElementFormat, context: Int
  ) {
    parameters = architecture.parameterCount(for: sizes)
    self.weightBytes = weightBytes
    self.context = context
    let rowElements = sizes.keyValueHeadCount * sizes.headDimension
    let rowBytes = 2 * Int((Double(rowElements) * cacheFormat.bitsPerElement / 8).rounded(.up))
    cacheBytesPerToken = rowBytes * sizes.layerCount
    let kept = (0..<sizes.layerCount).reduce(0) { $0 + min(context, sizes.window(ofLayer: $1) ?? context) }
    cacheBytes = rowBytes * kept
    let attentionWidth = sizes.queryHeadCount * sizes.headDimension
    let linear = 2 * architecture.linearParameterCount(for: sizes)
    decodeOperations = linear + 4 * attentionWidth * kept
    prefillOperations = linear + Int(4 * Double(attentionWidth) * sizes.meanTokensSeen(context))
    let unreadBytes = sizes.tiesHead ? 0 : embeddingBytes - embeddingBytes / max(sizes.vocabularySize, 1)
    decodeBytes = weightBytes - unreadBytes + cacheBytes
  }
}

extension Architecture {
  /// Weights that a token is multiplied with: all projections and the head, tied or not.
  fileprivate func linearParameterCount(for sizes: Hyperparameters) -> Int {
    let specs = weightSpecs(for: sizes).filter { $0.role.isLinear && $0.part == .weight }
    func count(_ specs: [WeightSpec]) -> Int { specs.reduce(0) { $0 + $1.shape(in: sizes).reduce(1, *) } }
    let tiedHead = sizes.tiesHead ? sizes.vocabularySize * sizes.hiddenSize : 0
    return count(specs.filter(\.role.isPerLayer)) * sizes.layerCount + count(specs.filter { !$0.role.isPerLayer })
      + tiedHead
  }
}

extension Hyperparameters {
  /// Tokens that a token of a prompt sees, itself included, summed over layers and averaged over the prompt.
  fileprivate func meanTokensSeen(_ context: Int) -> Double {
    (0..<layerCount).reduce(0.0) { sum, layer in
      let window = Double(min(context, window(ofLayer: layer) ?? context))
      let tokens = Double(max(context, 1))
      // The first `window` tokens see 1, 2, … of them; the others `window`.
      return sum + (window * (window + 1) / 2 + (tokens - window) * window) / tokens
    }
  }
}
