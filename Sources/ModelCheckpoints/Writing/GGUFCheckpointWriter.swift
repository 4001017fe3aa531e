internal import GGUFFormat
internal import ModelArchitectures
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// Writes one GGUF file that llama.cpp loads. It appears under its name when it is complete.
  ///
  /// - Throws: `CheckpointError.notExpressible` if the runtime would compute something else than this model.
  public func writeGGUF(to path: String, _ options: WriteOptions = WriteOptions()) throws {
    let tensors = try ggufTensors(options)
    let writer = try GGUFWriter(metadata: try ggufMetadata(options), tensors: tensors.map(\.info))
    try checkSpace(writer.fileSize, at: path)
    let output = try OutputFile(path: path, overwrite: options.overwrites, expectedSize: writer.fileSize)
    let total = tensors.reduce(0) { $0 + $1.tensor.byteCount }
    let streamer = TensorStreamer(phase: "writing", total: total, handler: options.progress)
    let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) })
    try writer.write(to: output) { info, sink in try streamer.stream(byName[info.name]!, to: sink) }
    try output.commit(durable: options.isDurable)
  }

  /// Bytes of the tensors as `writeGGUF` would write them, known without reading any.
  public func ggufByteCount(_ options: WriteOptions) throws -> Int {
    try ggufTensors(options).reduce(0) { $0 + $1.tensor.byteCount }
  }

  private func ggufMetadata(_ options: WriteOptions) throws -> OrderedDictionary<String, GGUFValue> {
    var metadata = try GGUFMetadataWriter(self, mainFormat: ggufFormat(options)).metadata()
    for (key, weight) in weights where spec(of: key).transform == .addOne {
      let values = try weight.plain(name: "").decoded()
      // (w + 1) − 1 loses what is small against one, and the sign of zero.
      if values.contains(where: { ($0 + 1 - 1).bitPattern != $0.bitPattern }) {
        metadata[GGUFKeys.exactValues(ggufName(of: key))] = GGUFValue(values)
      }
    }
    return metadata
  }

  private func ggufTensors(_ options: WriteOptions) throws -> [NamedTensor] {
    let obstacles = ggufObstacles
    guard obstacles.isEmpty else {
      throw CheckpointError(.notExpressible, "GGUF cannot express this model: " + obstacles.joined(separator: "; "))
    }
    let format = ggufFormat(options)
    let tensors = weights.map { key, weight in
      let name = ggufName(of: key)
      return NamedTensor(name: name, tensor: ggufTensor(key, weight, name, format, keeps: options.elementFormat == nil))
    }
    guard case .llama3 = hyperparameters.rotary.scaling else { return tensors }
    let factors = hyperparameters.rotary.frequencyDivisors.map(Float.init)
    return [NamedTensor(name: GGUFKeys.rotaryFactors, tensor: LazyTensor(factors, shape: [factors.count]))] + tensors
  }

  /// The format of matrices: the one asked for, or the source's own where GGUF has it.
  private func ggufFormat(_ options: WriteOptions) -> ElementFormat {
    if let format = options.elementFormat { return format }
    return mainFormat.ggmlType == nil ? .bf16 : mainFormat
  }

  // Vectors are F32, as the runtime needs them. A row that does not fill blocks falls back to F16, as in llama.cpp.
  private func ggufTensor(
    _ key: WeightKey, _ weight: Weight, _ name: String, _ format: ElementFormat, keeps: Bool
  ) -> LazyTensor {
    let spec = spec(of: key)
    var target = keeps && weight.scale == nil && weight.format.ggmlType != nil ? weight.format : format
    if !weight.values.rowLength.isMultiple(of: target.blockElements) { target = .f16 }
    if weight.shape.count == 1 { target = .f32 }
    let values = weight.plain(name: name)
    switch spec.transform {
    case .identity: return values.converted(to: target, name: name)
    case .addOne:
      // From GGUF to GGUF the stored values pass through: (v − 1) + 1 is not always v.
      if let restored = values.source as? RestoredOffset { return restored.stored.converted(to: .f32, name: name) }
      return values.converted(to: .f32, adding: 1, name: name)
    case .interleaveRotary(let heads):
      let order = RotaryRowOrder.toGGUF(
        heads: hyperparameters.size(of: heads), headDimension: hyperparameters.headDimension)
      return values.converted(to: target, name: name).gatheringRows(order)
    }
  }
}
