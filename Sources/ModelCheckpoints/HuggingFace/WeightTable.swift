internal import ModelArchitectures
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

/// Matches the tensors of a Hugging Face checkpoint with the family's weights; nothing may be missing, wrong or left over.
struct WeightTable {
  let files: SafetensorsFileSet
  let hyperparameters: Hyperparameters
  /// What the configuration says of codes and scales; nil if it says nothing.
  let layout: QuantizationLayout?
  private(set) var warnings: [String] = []
  private var used: Set<String> = []
  private var hasScales = false

  init(files: SafetensorsFileSet, hyperparameters: Hyperparameters, layout: QuantizationLayout? = nil) {
    self.files = files
    self.hyperparameters = hyperparameters
    self.layout = layout
  }

  mutating func weights(of architecture: Architecture) throws -> OrderedDictionary<WeightKey, Weight> {
    var weights: OrderedDictionary<WeightKey, Weight> = [:]
    for (key, spec) in architecture.weights(for: hyperparameters) {
      let name = spec.huggingFaceName(layer: key.layer)
      let values = try tensor(name, shape: spec.shape(in: hyperparameters))
      weights[key] = try weight(key, name, values)
      hasScales = hasScales || weights[key]?.scale != nil || weights[key]?.cacheScale != nil
    }
    return weights
  }

  /// Throws for a tensor that no row of the table names, unless it is known to carry nothing.
  mutating func refuseUnknown(architecture: Architecture) throws {
    for entry in files.entries where !used.contains(entry.name) {
      if hyperparameters.tiesHead, entry.name == "lm_head.weight" {
        warnings.append("lm_head.weight is stored beside tied embeddings, which are the same; it is left out")
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
}

extension SafetensorsFileSet {
  /// Whether there is a head with other values than the embeddings, whatever the configuration says.
  func hasHeadOfItsOwn(_ architecture: Architecture) throws -> Bool {
    let names = [WeightRole.head, .embedding].map { architecture.spec(of: WeightKey($0)).huggingFaceName() }
    guard let head = self[names[0]]?.tensor, let embedding = self[names[1]]?.tensor else { return false }
    guard head.shape == embedding.shape, head.format == embedding.format else { return true }
    var isSame = true
    try head.forEachPanel { rows, bytes in
      guard isSame else { return }
      try embedding.withRows(rows) { isSame = bytes.elementsEqual($0) }
    }
    return !isSame
  }
}

// MARK: Scales

extension WeightTable {
  /// How the scales that were found are to be understood, of codes or of the cache alone; nil if there are none.
  var layoutOfScales: QuantizationLayout? { hasScales ? names : nil }

  /// The layout, or for codes that no configuration explains, one that finds scales by the usual names.
  private var names: QuantizationLayout {
    layout ?? QuantizationLayout(dialect: .fp8, weights: .tensor, activations: .none)
  }

  private mutating func weight(_ key: WeightKey, _ name: String, _ values: LazyTensor) throws -> Weight {
    var weight = Weight(values)
    guard key.role.isLinear, key.part == .weight else {
      guard values.format != .f8E4M3, values.format != .f8E5M2 else { return try quantized(name, values) }
      return weight
    }
    let module = String(name.dropLast(".weight".count))
    if values.format == .f8E4M3 || values.format == .f8E5M2 {
      weight = try quantized(name, values)
      weight.inputScale = try scalar(names.dialect.inputScaleNames.map { "\(module).\($0)" })
    }
    // Calibrated for the cache whether or not the projection itself is quantized.
    weight.cacheScale = try scalar(names.dialect.cacheScaleNames(key.role, module: module))
    return weight
  }

  private mutating func quantized(_ name: String, _ values: LazyTensor) throws -> Weight {
    let module = String(name.dropLast("weight".count))
    let candidates = names.dialect.scaleNames(names.weights).map { module + $0 }
    guard let scaleName = candidates.first(where: { files[$0] != nil }), let member = files[scaleName] else {
      throw CheckpointError(
        .missingTensor, "tensor '\(name)' is \(values.format) and '\(candidates[0])' is missing")
    }
    guard values.shape.count == 2, let scale = grid(member.tensor, of: values.shape) else {
      throw CheckpointError(
        .wrongShape,
        "tensor '\(scaleName)' is \(member.entry.info.format) \(member.entry.info.shape), expected a scale for each "
          + "\(names.weights) of \(values.shape), or one for each row or for all")
    }
    used.insert(scaleName)
    return Weight(values, scale: scale)
  }

  /// The grid that a stored scale is; nil if it is none for a matrix of this shape.
  private func grid(_ stored: LazyTensor, of shape: [Int]) -> ScaleGrid? {
    // Exponents of MX formats are called U8 where the container knows no better.
    let scales = stored.format == .u8 ? stored.reinterpreted(as: .f8E8M0) : stored
    guard scales.format.kind == .float, scales.format.codec != nil, scales.shape.count <= 4 else { return nil }
    func isStored(_ granularity: ScaleGranularity) -> Bool {
      let grid = granularity.gridShape(of: shape)
      return switch granularity {
      case .tensor: scales.shape.allSatisfy { $0 == 1 }
      case .row: [[grid[0]], grid].contains(scales.shape)
      case .block: [grid, [grid[0], 1, grid[1], 1]].contains(scales.shape)
      }
    }
    guard let granularity = [names.weights, .tensor, .row].first(where: isStored) else { return nil }
    return ScaleGrid(scales.reshaped(to: granularity.gridShape(of: shape)), granularity)
  }

  /// A single number under the first of these names that is there.
  private mutating func scalar(_ candidates: [String]) throws -> LazyTensor? {
    guard let name = candidates.first(where: { files[$0] != nil }), let tensor = files[name]?.tensor else { return nil }
    guard tensor.elementCount == 1, tensor.format.kind == .float, tensor.format.codec != nil else {
      throw CheckpointError(
        .wrongShape, "tensor '\(name)' is \(tensor.format) \(tensor.shape), expected one number")
    }
    used.insert(name)
    return tensor.reshaped(to: [1])
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
