internal import GGUFFormat
internal import ModelArchitectures
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// Writes one GGUF file that llama.cpp loads. It appears under its name when it is complete.
  ///
  /// - Throws: `CheckpointError.notExpressible` if the runtime would compute something else than this model.
  func writeGGUF(to path: String, _ options: WriteOptions) throws {
    let tensors = try ggufTensors()
    let writer = try GGUFWriter(metadata: metadataForGGUF(), tensors: tensors.map(\.info))
    try checkSpace(writer.fileSize, at: path)
    let output = try OutputFile(path: path, overwrite: options.overwrites, expectedSize: writer.fileSize)
    let total = tensors.reduce(0) { $0 + $1.tensor.byteCount }
    let streamer = TensorStreamer(phase: "writing", total: total, handler: options.progress)
    let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) })
    try writer.write(to: output) { info, sink in try streamer.stream(byName[info.name]!, to: sink) }
    try output.commit(durable: options.isDurable)
  }

  private func metadataForGGUF() throws -> OrderedDictionary<String, GGUFValue> {
    var metadata = try GGUFMetadataWriter(self).metadata()
    for (key, weight) in weights where spec(of: key).transform == .addOne {
      let values = try weight.plain.decoded()
      // (w + 1) − 1 loses what is small against one, and the sign of zero.
      if values.contains(where: { ($0 + 1 - 1).bitPattern != $0.bitPattern }) {
        metadata[GGUFKeys.exactValues(ggufName(of: key))] = GGUFValue(values)
      }
    }
    return metadata
  }

  /// The tensors that a GGUF file of this model holds, in its orientation.
  func ggufTensors() throws -> [NamedTensor] {
    let obstacles = ggufObstacles
    guard obstacles.isEmpty else {
      throw CheckpointError(.notExpressible, "GGUF cannot express this model: " + obstacles.joined(separator: "; "))
    }
    let tensors = try weights.map { key, weight in
      let name = ggufName(of: key)
      guard weight.fits(.gguf) else {
        throw CheckpointError(
          .notExpressible, "tensor '\(name)' is \(weight.format), which GGUF cannot hold; convert the model first")
      }
      return NamedTensor(name: name, tensor: ggufTensor(weight.values, spec(of: key), name))
    }
    guard case .llama3 = hyperparameters.rotary.scaling else { return tensors }
    let factors = hyperparameters.rotary.frequencyDivisors.map(Float.init)
    return [NamedTensor(name: GGUFKeys.rotaryFactors, tensor: LazyTensor(factors, shape: [factors.count]))] + tensors
  }

  // Vectors are F32, as the runtime needs them; from BF16 and F16 that loses nothing.
  private func ggufTensor(_ values: LazyTensor, _ spec: WeightSpec, _ name: String) -> LazyTensor {
    let values = values.shape.count == 1 ? values.converted(to: .f32, name: name) : values
    switch spec.transform {
    case .identity: return values
    case .addOne:
      // From GGUF to GGUF the stored values pass through: (v − 1) + 1 is not always v.
      if let restored = values.source as? RestoredOffset { return restored.stored.converted(to: .f32, name: name) }
      return values.converted(to: .f32, adding: 1, name: name)
    case .interleaveRotary(let heads):
      let count = hyperparameters.size(of: heads)
      return values.gatheringRows(RotaryRowOrder.toGGUF(heads: count, headDimension: hyperparameters.headDimension))
    }
  }
}
