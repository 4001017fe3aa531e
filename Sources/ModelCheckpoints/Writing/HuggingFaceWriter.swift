internal import ModelArchitectures
internal import ModelTokenizers
internal import OrderedCollections
internal import SafetensorsFormat
package import TensorFormats

extension Checkpoint {
  /// The tensors that a Hugging Face checkpoint of this model holds: values, and scales where the values are codes.
  func huggingFaceTensors() throws -> [NamedTensor] {
    try weights.flatMap { key, weight in
      let name = huggingFaceName(of: key)
      guard weight.fits(.huggingFace) else {
        throw CheckpointError(
          .notExpressible,
          "tensor '\(name)' is \(weight.format), which safetensors cannot hold; convert the model first")
      }
      guard let dialect = quantization?.dialect else { return [NamedTensor(name: name, tensor: weight.values)] }
      return dialect.tensors(of: weight, key.role, name: name)
    }
  }

  /// What stands beside codes for the engine alone, by tensor name: calibrated scales of inputs and of the key-value cache.
  package var calibratedScales: [String: LazyTensor] {
    guard let dialect = quantization?.dialect else { return [:] }
    var result: [String: LazyTensor] = [:]
    for (key, weight) in weights {
      var calibrated = Weight(weight.values)
      (calibrated.inputScale, calibrated.cacheScale) = (weight.inputScale, weight.cacheScale)
      for tensor in dialect.tensors(of: calibrated, key.role, name: huggingFaceName(of: key)).dropFirst() {
        result[tensor.name] = tensor.tensor
      }
    }
    return result
  }

  /// Writes a Hugging Face directory: weights, configuration, tokenizer and the files that belong to it.
  ///
  /// The directory appears under its name when it is complete. Sharded when larger than `options.maximumShardSize`.
  func writeHuggingFace(to path: String, _ options: WriteOptions) throws {
    let tensors = try huggingFaceTensors()
    let total = tensors.reduce(0) { $0 + $1.tensor.byteCount }
    let smallFiles = try huggingFaceFiles()
    let directory = try OutputDirectory(path: path, overwrite: options.overwrites)
    try checkSpace(total + smallFiles.values.reduce(0) { $0 + $1.count }, at: path)
    let streamer = TensorStreamer(phase: "writing", total: total, handler: options.progress)
    for (name, shard) in try shards(tensors, options, in: directory) {
      try write(shard, name: name, in: directory, streamer, options)
    }
    for (name, bytes) in smallFiles { try directory.write(bytes, to: name) }
    try directory.commit(durable: options.isDurable)
  }

  private func shards(
    _ tensors: [NamedTensor], _ options: WriteOptions, in directory: OutputDirectory
  ) throws -> [(name: String, tensors: [NamedTensor])] {
    let plan = try ShardPlan(tensors: tensors.map(\.info), maximumBytes: options.maximumShardSize)
    let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    if plan.isSharded {
      let index = try plan.index(totalParameters: parameterCount)
      try directory.write(index.serializedBytes(), to: ShardIndex.fileName)
    }
    return plan.shards.map { shard in (shard.fileName, shard.tensors.map { byName[$0.name]! }) }
  }

  private func write(
    _ tensors: [NamedTensor], name: String, in directory: OutputDirectory, _ streamer: TensorStreamer,
    _ options: WriteOptions
  ) throws {
    let writer = try SafetensorsWriter(tensors: tensors.map(\.info), metadata: ["format": "pt"])
    let output = try directory.file(name, expectedSize: writer.fileSize)
    try output.write(writer.header)
    let places = try output.places(upTo: writer.fileSize)
    let starts = Dictionary(uniqueKeysWithValues: writer.layout.map { ($0.name, $0.range.lowerBound) })
    // Not in the order of the file, where small formats come last, but as they belong together: codes find their scales.
    for tensor in tensors { try streamer.stream(tensor.tensor, to: places, at: starts[tensor.name]!) }
    try output.commit(durable: false)
  }

  /// Everything but the weights, by file name.
  private func huggingFaceFiles() throws -> OrderedDictionary<String, [UInt8]> {
    var files: OrderedDictionary<String, [UInt8]> = [:]
    files["config.json"] = writtenConfig.bytes
    if let generationConfig { files["generation_config.json"] = generationConfig.bytes }
    for file in carriedFiles { files[file.name] = try file.bytes() }
    if files["tokenizer.json"] == nil, let description = try tokenizerDescription() {
      files["tokenizer.json"] = try description.tokenizerJSON().serializedBytes(.indented) + [0x0A]
      files["tokenizer_config.json"] =
        description.tokenizerConfigJSON(maximumLength: hyperparameters.contextLength).serializedBytes(.indented) + [
          0x0A
        ]
    }
    if let recipe { files[CarriedFile.recipeName] = recipe.serializedBytes(.indented) + [0x0A] }
    return files
  }

  /// Writes the record and the card of this model into a directory that holds it: what became known when it was written.
  public func updateRecords(in directory: String) throws {
    let files = try huggingFaceFiles()
    for name in [CarriedFile.recipeName, CarriedFile.cardName] {
      guard let bytes = files[name] else { continue }
      let output = try OutputFile(path: FileSystem.join(directory, name), overwrite: true)
      try output.write(bytes)
      try output.commit()
    }
  }

  /// The configuration with the element format that is written.
  private var writtenConfig: ModelConfig {
    var config = config
    let name = plainFormat.flatMap { [ElementFormat.f32: "float32", .f16: "float16", .bf16: "bfloat16"][$0] }
    if let name { config.object[config.object["dtype"] != nil ? "dtype" : "torch_dtype"] = .string(name) }
    return config
  }

  /// The format of most tensors that are not quantized: what an engine computes in.
  package var plainFormat: ElementFormat? {
    var counts: OrderedDictionary<ElementFormat, Int> = [:]
    for weight in weights.values where [.f32, .f16, .bf16].contains(weight.format) {
      counts[weight.format, default: 0] += 1
    }
    return counts.max { $0.value < $1.value }?.key
  }
}
