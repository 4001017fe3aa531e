internal import GGUFFormat
internal import ModelArchitectures
internal import OrderedCollections
internal import TensorFormats

/// Reads hyperparameters from GGUF metadata and from the presence of tensors.
struct GGUFMetadataReader {
  let files: GGUFFileSet
  let architecture: Architecture

  init(_ files: GGUFFileSet) throws {
    self.files = files
    guard let name = files.metadata["general.architecture"]?.string else {
      throw CheckpointError(.invalidConfig, "GGUF metadata has no 'general.architecture'")
    }
    guard let architecture = Architecture.gguf(name) else {
      let known = Architecture.all.map(\.ggufName).joined(separator: ", ")
      throw CheckpointError(
        .unsupportedFamily,
        "GGUF 'general.architecture' is '\(name)', which is not supported; supported are \(known)")
    }
    self.architecture = architecture
  }

  func hyperparameters() throws -> Hyperparameters {
    if let count = try int("expert_count"), count > 0 {
      throw CheckpointError(
        .unsupportedFeature, "GGUF '\(key("expert_count"))' is \(count), mixtures are not supported")
    }
    var result = architecture.defaults
    result.keyValueHeadCount = 0
    result.headDimension = 0
    for field in architecture.configFields { try read(field, into: &result) }
    if result.vocabularySize == 0 { result.vocabularySize = vocabularySize }
    try result.fillDerived()
    // Before anything is made in these sizes.
    try result.validate { "GGUF '\(key(architecture.field(of: $0)?.gguf ?? "?"))'" }
    if let length = try int("attention.value_length"), length != result.headDimension {
      throw CheckpointError(
        .unsupportedFeature, "value heads of \(length) beside key heads of \(result.headDimension) are not supported")
    }
    result.tiesHead = files["output.weight"] == nil
    result.hasAttentionBias = files["blk.0.attn_q.bias"] != nil
    result.hasFeedForwardBias = files["blk.0.ffn_up.bias"] != nil
    result.activation = architecture.ggufActivation
    result.queryScalar = architecture.ggufQueryScalar(result)
    result.rotary = try rotary(result)
    result.layerKinds = architecture.layerPattern.kinds(layerCount: result.layerCount, firstSlidingLayer: nil)
    try result.validateRotary()
    return result
  }

  private var vocabularySize: Int {
    files.metadata["tokenizer.ggml.tokens"]?.array?.count ?? files["token_embd.weight"]?.info.shape.first ?? 0
  }

  private func read(_ field: ConfigField, into result: inout Hyperparameters) throws {
    guard let key = field.gguf else { return }
    switch field.value {
    case .int(let path): if let value = try int(key) { result[keyPath: path] = value }
    case .double(let path): if let value = try double(key) { result[keyPath: path] = value }
    case .optionalInt(let path): if let value = try int(key) { result[keyPath: path] = value == 0 ? nil : value }
    case .optionalDouble(let path): if let value = try double(key) { result[keyPath: path] = value }
    case .bool: break
    }
  }

  private func rotary(_ model: Hyperparameters) throws -> Rotary {
    let base = try double("rope.freq_base") ?? architecture.defaults.rotary.base
    guard base > 0 else {
      throw CheckpointError(.invalidConfig, "GGUF '\(key("rope.freq_base"))' is \(base), expected more than 0")
    }
    let whole = Int(Double(model.headDimension) * architecture.rotaryFraction)
    var rotary = Rotary(base: base, dimension: try int("rope.dimension_count") ?? whole)
    rotary.scaling = try rotaryScaling()
    return rotary
  }

  /// llama.cpp's reading: without a type a factor scales linearly, and old files call it `scale_linear`.
  private func rotaryScaling() throws -> RotaryScaling {
    let factor = try double("rope.scaling.factor") ?? double("rope.scale_linear") ?? 1
    switch files.metadata[key("rope.scaling.type")]?.string {
    case "none": return .none
    case "linear": return .linear(factor: factor)
    case nil: return factor > 0 && factor != 1 ? .linear(factor: factor) : .none
    case let type?: throw CheckpointError(.unsupportedFeature, "rotary scaling '\(type)' is not supported")
    }
  }

  private func key(_ suffix: String) -> String { "\(architecture.ggufName).\(suffix)" }

  /// A scalar, or an array whose entries agree: widths that differ by layer have no place in these families.
  private func int(_ suffix: String) throws -> Int? {
    guard let value = files.metadata[key(suffix)] else { return nil }
    if let number = value.int { return number }
    if let numbers = value.ints, let first = numbers.first {
      guard numbers.allSatisfy({ $0 == first }) else {
        throw CheckpointError(.unsupportedFeature, "GGUF '\(key(suffix))' differs by layer, which is not supported")
      }
      return first
    }
    throw CheckpointError(.invalidConfig, "GGUF '\(key(suffix))' is \(value), expected an integer")
  }

  private func double(_ suffix: String) throws -> Double? {
    guard let value = files.metadata[key(suffix)] else { return nil }
    // The shortest decimal of a 32-bit float is what its author wrote: 1e-05, not 9.999999747378752e-06.
    if case .float32(let number) = value, let exact = Double(number.description), exact.isFinite { return exact }
    guard let number = value.double, number.isFinite else {
      throw CheckpointError(.invalidConfig, "GGUF '\(key(suffix))' is \(value), expected a number")
    }
    return number
  }
}
