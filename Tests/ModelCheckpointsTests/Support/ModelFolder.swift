import MTConvTestSupport
import OrderedCollections
import SafetensorsFormat
import TensorFormats

@testable import ModelCheckpoints

/// A pico checkpoint in memory, to be changed and written where a test wants it.
struct ModelFolder {
  var config: JSONObject
  var tensors: OrderedDictionary<String, LazyTensor>
  var files: [String: [UInt8]] = [:]

  static let picos = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]

  /// One of Fixtures/models: `llama` for `llama-pico`.
  init(_ pico: String, config name: String = "config.json") throws {
    let path = Fixture.path("models/\(pico)-pico")
    config = try JSON(parsing: FileSystem.read("\(path)/\(name)")).object!
    tensors = [:]
    let set = try SafetensorsFileSet(path: path)
    for entry in set.entries {
      let bytes = try set.member(entry.name).withBytes { Array($0) }
      let rowBytes = bytes.count / entry.info.rowCount
      tensors[entry.name] = LazyTensor(
        format: entry.info.format, shape: entry.info.shape, source: MemoryTensor(bytes: bytes, rowByteCount: rowBytes))
    }
  }

  /// Changes what a GGUF runtime fixes: Gemma 2's query scalar, the width of Nemotron's query heads together.
  mutating func fitToGGUF() throws {
    switch config["model_type"] {
    case "gemma2": config["query_pre_attn_scalar"] = config["head_dim"]
    case "nemotron":
      (config["num_attention_heads"], config["num_key_value_heads"]) = (5, 1)
      for (name, tensor) in tensors {
        if name.contains("q_proj") { tensors[name] = tensor.gatheringRows(Array(0..<40)) }
        if name.contains("k_proj") || name.contains("v_proj") { tensors[name] = tensor.gatheringRows(Array(0..<8)) }
        if name.contains("o_proj") { tensors[name] = tensor.gatheringColumns(Array(0..<40), name: name) }
      }
    default: break
    }
  }

  /// The tokenizer of Fixtures/tokenizers, and an embedding that has a row for each of its tokens.
  mutating func addTokenizer(_ name: String = "smollm") throws {
    let path = Fixture.path("tokenizers/\(name)")
    for file in ["tokenizer.json", "tokenizer_config.json"] { files[file] = try FileSystem.read("\(path)/\(file)") }
    let vocabulary = try JSON(parsing: files["tokenizer.json"]!)["model"]!["vocab"]!.object!.count + 16
    config["vocab_size"] = .int(vocabulary)
    for name in ["model.embed_tokens.weight", "lm_head.weight"] {
      guard let table = tensors[name] else { continue }
      let values = try table.decoded()
      let size = vocabulary * table.rowLength
      tensors[name] = LazyTensor(
        (0..<size).map { values[$0 % values.count] }, shape: [vocabulary, table.rowLength])
    }
    if let bias = tensors["lm_head.bias"] {
      let values = try bias.decoded()
      tensors["lm_head.bias"] = LazyTensor((0..<vocabulary).map { values[$0 % values.count] }, shape: [vocabulary])
    }
  }

  mutating func set(_ name: String, _ values: [Float], shape: [Int]) {
    tensors[name] = LazyTensor(values, shape: shape)
  }

  /// The same values in another format.
  mutating func encode(as format: ElementFormat) throws {
    for (name, tensor) in tensors { tensors[name] = try tensor.encoded(as: format) }
  }

  func write(to folder: TemporaryFolder) throws {
    try folder.write(JSON.object(config).serializedBytes(.indented) + [0x0A], to: "config.json")
    for (name, bytes) in files { try folder.write(bytes, to: name) }
    try writeWeights(Array(tensors.keys), to: folder.file("model.safetensors"))
  }

  func writeWeights(_ names: [String], to path: String) throws {
    let infos = names.map { TensorInfo(name: $0, format: tensors[$0]!.format, shape: tensors[$0]!.shape) }
    let writer = try SafetensorsWriter(tensors: infos, metadata: ["format": "pt"])
    let output = try OutputFile(path: path)
    try writer.write(to: output) { info, sink in
      let bytes = try tensors[info.name]!.bytes()
      try bytes.withUnsafeBytes { try sink($0) }
    }
    try output.commit(durable: false)
  }

  /// Writes the model into a folder of its own.
  func written() throws -> TemporaryFolder {
    let folder = TemporaryFolder()
    try write(to: folder)
    return folder
  }

  /// The model, its files gone again: what is mapped stays readable.
  func opened() throws -> Checkpoint {
    let folder = try written()
    return try withExtendedLifetime(folder) { try Checkpoint(path: folder.path) }
  }
}

extension LazyTensor {
  func encoded(as format: ElementFormat) throws -> LazyTensor {
    let values = try decoded()
    var bytes = [UInt8](repeating: 0, count: format.byteCount(of: values.count)!)
    values.withUnsafeBufferPointer { source in
      bytes.withUnsafeMutableBytes { format.codec!.encode(source, into: $0) }
    }
    return LazyTensor(
      format: format, shape: shape, source: MemoryTensor(bytes: bytes, rowByteCount: format.byteCount(of: rowLength)!))
  }
}
