public import ModelArchitectures
public import ModelCheckpoints
public import ModelCompute
internal import OrderedCollections

/// A checkpoint's weights reach the forward pass as they are decoded, a block at a time.
extension Checkpoint: WeightSource {
  public func shape(of key: WeightKey) throws -> [Int] {
    guard let weight = weights[key] else { throw CompressionError(.missingWeight, "the model has no weight '\(key)'") }
    return weight.shape
  }

  public func decode(_ key: WeightKey, rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws {
    guard let weight = weights[key] else { throw CompressionError(.missingWeight, "the model has no weight '\(key)'") }
    // A network counts the values of a vector as its rows; stored, it is a single row and is read whole.
    let isVector = weight.shape.count == 1
    precondition(!isVector || rows == 0..<weight.shape[0], "vectors are read whole")
    try weight.decode(rows: isVector ? 0..<1 : rows, into: values)
  }

  /// The forward pass of this model; of quantized matrices the weights only, as calibration, pruning and healing look at them.
  public var network: Network {
    Network(architecture: architecture, hyperparameters: hyperparameters, weights: self)
  }
}
