internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute

/// How much each block changes the residual stream: 1 − mean over tokens of cos(input, output).
///
/// The importance of a layer in Minitron (arXiv 2408.11796 §2.2) and ShortGPT (arXiv 2403.03853 §3.1). One forward pass; all
/// sequences go through a block before the next is decoded.
public struct BlockInfluence: Sendable, Codable, Equatable {
  /// One for each layer, in order. 0 is a block that only rescales its input.
  public let scores: [Double]
  public let tokenCount: Int

  public init(scores: [Double], tokenCount: Int) {
    self.scores = scores
    self.tokenCount = tokenCount
  }

  /// Measures a model on calibration sequences.
  /// - Throws: `CompressionError.notEnoughText` for a set without tokens, and what the forward pass throws.
  public init(
    of model: Checkpoint, on set: CalibrationSet, progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    guard set.tokenCount > 0 else {
      throw CompressionError(.notEnoughText, "no text to measure the layers on")
    }
    var sums = [Double](repeating: 0, count: model.hyperparameters.layerCount)
    var input: Matrix?
    _ = try model.network.run(
      TokenBatch(set.sequences), observing: [.blockInput, .blockOutput],
      observer: { observation in
        if observation.site == .blockInput {
          input = observation.values
        } else if let input {
          sums[observation.layer] += cosineSum(input, observation.values)
        }
      },
      progress: { progress(WorkProgress(phase: "calibrating", completed: $0, total: $1, unit: .blocks)) })
    let tokens = Double(set.tokenCount)
    self.init(scores: sums.map { 1 - $0 / tokens }, tokenCount: set.tokenCount)
  }
}
