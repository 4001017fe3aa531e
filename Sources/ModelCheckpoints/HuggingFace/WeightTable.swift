internal import ModelArchitectures
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

/// Matches the tensors of a Hugging Face checkpoint with the family's weights; nothing may be missing, wrong or left over.
struct WeightTable {
  let files: SafetensorsFileSet
  let hyperparameters: Hyperparameters
  private(set) var warnings: [String] = []
  private var used: Set<String> = []

  init(files: SafetensorsFileSet, hyperparameters: Hyperparameters) {
    self.files = files
    self.hyperparameters = hyperparameters
  }

  mutating func weights(of architecture: Architecture) throws -> OrderedDictionary<WeightKey, Weight> {
    var weights: OrderedDictionary<WeightKey, Weight> = [:]
    for (key, spec) in architecture.weights(for: hyperparameters) {
      let name = spec.huggingFaceName(layer: key.layer)
      let values = try tensor(name, shape: spec.shape(in: hyperparameters))
      weights[key] = Weight(values, scale: try scale(of: name, values))
    }
    return weights
  }

  /// Throws for a tensor that no row of the table names, unless it is known to carry nothing.
  mutating func refuseUnknown(architecture: Architecture) throws {
    for entry in files.entries where !used.contains(entry.name) {
      if hyperparameters.tiesHead, entry.name == "lm_head.weight" {
        warnings.append("lm_head.weight is stored although embeddings are tied; it is not used, as in transformers")
      } else if !Self.emptySuffixes.contains(where: entry.name.hasSuffix) {
        throw CheckpointError(
          .unknownTensor, "tensor '\(entry.name)' \(entry.info.shape) is not part of family '\(architecture.name)'")
      }
    }
  }

  /// Buffers that old checkpoints stored and that follow from the configuration.
  private static let emptySuffixes = [".rotary_emb.inv_freq", ".attention.masked_bias", ".attention.bias"]

  private mutating func tensor(_ name: String, shape: [Int]) throws -> LazyTensor {
    guard let member = files[name] else { throw CheckpointError(.missingTensor, "tensor '\(name)' is missing") }
    let entry = member.entry
    guard entry.info.shape == shape else {
      throw CheckpointError(
        .wrongShape, "tensor '\(name)' has shape \(entry.info.shape), the configuration says \(shape)")
    }
    guard entry.info.format.codec != nil else {
      throw CheckpointError(.wrongFormat, "tensor '\(name)' is \(entry.info.format), which cannot be decoded yet")
    }
    used.insert(name)
    return member.tensor
  }

  private mutating func scale(of name: String, _ values: LazyTensor) throws -> LazyTensor? {
    guard values.format == .f8E4M3 || values.format == .f8E5M2 else { return nil }
    let scaleName = name + "_scale"
    guard let member = files[scaleName] else {
      throw CheckpointError(.missingTensor, "tensor '\(name)' is \(values.format) and '\(scaleName)' is missing")
    }
    let entry = member.entry
    let expected: [[Int]] = [[values.rowCount, 1], [values.rowCount], [1], []]
    guard expected.contains(entry.info.shape), entry.info.format.codec != nil else {
      throw CheckpointError(
        .wrongShape,
        "tensor '\(scaleName)' has shape \(entry.info.shape), expected one value or one for each of \(values.rowCount) rows"
      )
    }
    used.insert(scaleName)
    return member.tensor
  }
}

extension SafetensorsFileSet.Member {
  var tensor: LazyTensor {
    let info = entry.info
    let rowBytes = info.rowCount == 0 ? 0 : entry.range.count / info.rowCount
    return LazyTensor(
      format: info.format, shape: info.shape,
      source: MappedTensor(file: file.file, range: entry.range, rowByteCount: rowBytes))
  }
}
