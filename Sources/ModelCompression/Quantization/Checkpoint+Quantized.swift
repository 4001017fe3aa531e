internal import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// The model with its linear weights as FP8 codes and scales; lazy. Everything that is not quantized keeps its format.
  ///
  /// - Throws: `CheckpointError.notExpressible` for a scheme that its dialect cannot say; `wrongStatistics` for calibrated scales
  ///   without calibrated ranges, or those of another model; `invalidSettings` for a module to ignore that the model does not have, and if
  ///   nothing is left to quantize. A weight that is not finite is found when it is read.
  public func quantized(by scheme: QuantizationScheme) throws -> Checkpoint {
    try quantized(by: scheme, from: self)
  }

  /// As `quantized(by:)`, with the numbers of linear weights taken from `source`, the same model in a finer format, so that they are rounded
  /// once. The reference, with whose bytes `compat` agrees, reads a converted checkpoint.
  func quantized(by scheme: QuantizationScheme, from source: Checkpoint) throws -> Checkpoint {
    try scheme.dialect.check(scheme.layout)
    let patterns = scheme.ignored.map(ModulePattern.init)
    let keys = Array(weights.keys).filter { key in
      key.isQuantizable && !patterns.contains { $0.matches(moduleName(of: key)) }
    }
    let idle = try idlePatterns(in: scheme)
    guard !keys.isEmpty || !weights.keys.contains(where: \.isQuantizable) else {
      throw CompressionError(.invalidSettings, "nothing is left to quantize: every linear weight is to be ignored")
    }
    var result = try requantized(keys, by: scheme, from: scheme.rounding == .compat ? self : source)
    if !scheme.quantizesKeyValueCache { result.dropCacheScales(of: source) }
    result.warnings += idle.map { "no module of the model matches '\($0)', which shall not be quantized" }
    try result.addCalibratedScales(scheme, quantized: keys)
    var layout = scheme.layout
    result.quantization = layout
    if scheme.dialect != .compressedTensors { layout.ignored = result.ignoredModules(in: scheme.dialect) }
    result.setQuantization(layout)
    result.warnings += [result.partlyQuantizedSets].compactMap(\.self)
    return result
  }

  /// Calibrated scales of keys and values go where nothing announces them: engines look for them only if the configuration says so.
  private mutating func dropCacheScales(of source: Checkpoint) {
    let count = source.weights.values.count { $0.cacheScale != nil }
    guard count > 0 else { return }
    for key in weights.keys { weights[key]?.cacheScale = nil }
    warnings.append("\(count) scales of the key-value cache are left out, because the scheme does not quantize it")
  }

  /// After a cut: weights of which a scale's block was cut into two are plain numbers, and become codes again in the same layout.
  func quantizedAgain(like parent: Checkpoint, layers: [Int]) throws -> Checkpoint {
    guard let layout = quantization else { return self }
    let cut = Array(weights.keys).filter { key in
      let source = WeightKey(key.role, key.part, layer: key.layer.map { layers[$0] })
      return key.isQuantizable && weights[key]?.scale == nil && parent.weights[source]?.scale != nil
    }
    guard !cut.isEmpty else { return self }
    guard let scheme = QuantizationScheme(weightsOf: layout) else {
      throw CompressionError(
        .invalidPlan,
        "the cut goes through blocks that share a scale (\(layout.weights)), and this layout cannot be quantized again; "
          + "cut whole blocks, or convert the model to bf16 first")
    }
    var result = try requantized(cut, by: scheme, from: self)
    for key in cut {
      result.weights[key]?.inputScale = weights[key]?.inputScale
      result.weights[key]?.unrounded = weights[key]?.values
    }
    result.warnings.append(
      "\(cut.count) weights are cut inside blocks that share a scale; they are decoded and quantized again")
    return result
  }

  /// The model with these weights quantized, and nothing else said about it.
  func requantized(_ keys: [WeightKey], by scheme: QuantizationScheme, from source: Checkpoint) throws -> Checkpoint {
    var result = self
    let rule = ScaleRule(
      format: scaleFormat(in: scheme.dialect), search: scheme.search, rounding: scheme.rounding)
    let numbers = source.weights.filter { keys.contains($0.key) }.mapValues(\.finest)
    let powers = try inputPowers(of: keys, scheme)
    let shared = scheme.sharesScales ? source.sharedScales(of: keys, rule: rule, powers) : [:]
    for (key, weight) in numbers {
      let quantizer = WeightQuantizer(
        weight, name: huggingFaceName(of: key), scheme.kind.granularity, rule: rule,
        rounding: scheme.rounding == .compat ? .throughBF16 : .single, shared: shared[key],
        powers: powers[key])
      result.weights[key] = quantizer.quantized
    }
    return result
  }

  /// One scale for the members of each set of matrices that engines fuse.
  private func sharedScales(
    of keys: [WeightKey], rule: ScaleRule, _ powers: [WeightKey: [Float]]
  ) -> [WeightKey: SharedScale] {
    var result: [WeightKey: SharedScale] = [:]
    for layer in 0..<hyperparameters.layerCount {
      for roles in WeightRole.fusedSets {
        let members = roles.map { WeightKey($0, layer: layer) }.filter(keys.contains)
        // They read the same, so that its channels count the same.
        let scale = SharedScale(
          members.map { (weights[$0]!.finest, huggingFaceName(of: $0)) }, rule: rule,
          powers: members.first.flatMap { powers[$0] })
        for key in members { result[key] = scale }
      }
    }
    return result
  }

  /// How much each column of these matrices counts; empty unless a search needs it.
  private func inputPowers(of keys: [WeightKey], _ scheme: QuantizationScheme) throws -> [WeightKey: [Float]] {
    guard scheme.search == .outputError else { return [:] }
    guard let powers = scheme.inputPowers else {
      throw CompressionError(
        .wrongStatistics, "scales for the least error of the output need the statistics of activations; see 'calibrate'"
      )
    }
    guard powers.layerCount == hyperparameters.layerCount else {
      throw CompressionError(
        .wrongStatistics,
        "the statistics are of \(powers.layerCount) layers, the model has \(hyperparameters.layerCount)")
    }
    var result: [WeightKey: [Float]] = [:]
    for layer in 0..<hyperparameters.layerCount {
      let sites = ActivationSites(of: self, layer: layer)
      for key in keys where key.layer == layer {
        guard let site = sites.input(of: key.role) else { continue }
        guard let factors = powers.weights(at: site, layer: layer), factors.count == weights[key]?.shape.last else {
          throw CompressionError(
            .wrongStatistics,
            "the statistics do not say how much the channels of \(site.rawValue) in layer \(layer) count; calibrate again"
          )
        }
        result[key] = factors
      }
    }
    return result
  }

  private mutating func addCalibratedScales(_ scheme: QuantizationScheme, quantized keys: [WeightKey]) throws {
    let needsInputs = scheme.kind.activations == .calibrated
    guard needsInputs || scheme.quantizesKeyValueCache else { return }
    guard let ranges = scheme.ranges else {
      throw CompressionError(.wrongStatistics, "calibrated scales need the statistics of activations; see 'calibrate'")
    }
    guard ranges.layers.count == hyperparameters.layerCount else {
      throw CompressionError(
        .wrongStatistics,
        "the statistics are of \(ranges.layers.count) layers, the model has \(hyperparameters.layerCount)")
    }
    let calibrated = CalibratedScales(scheme, format: scaleFormat(in: scheme.dialect), ranges: ranges)
    for layer in 0..<hyperparameters.layerCount {
      let sites = ActivationSites(of: self, layer: layer)
      for key in keys where needsInputs && key.layer == layer {
        weights[key]?.inputScale = try sites.input(of: key.role).map { try calibrated.scale(at: $0, layer: layer) }
      }
      for role: WeightRole in [.key, .value] where scheme.quantizesKeyValueCache {
        let scale = try sites.cache(of: role).map { try calibrated.scale(at: $0, layer: layer) }
        weights[WeightKey(role, layer: layer)]?.cacheScale = scale
      }
    }
  }

  /// What scales are stored as: in compressed-tensors the format of the model, elsewhere F32.
  private func scaleFormat(in dialect: QuantizationDialect) -> ElementFormat {
    dialect == .compressedTensors ? plainFormat ?? .bf16 : .f32
  }

  /// Patterns to ignore that match nothing here. Lists that are made for many models have some; a name that is none is a mistake.
  private func idlePatterns(in scheme: QuantizationScheme) throws -> [String] {
    let names = weights.keys.map(moduleName)
    let idle = scheme.ignored.filter { entry in
      let pattern = ModulePattern(entry)
      return !QuantizationScheme.defaultIgnored.contains(entry) && !names.contains(where: pattern.matches)
    }
    if let name = idle.first(where: { ModulePattern($0).isName }) {
      let example = weights.keys.first(where: \.isQuantizable).map(moduleName) ?? "none"
      throw CompressionError(
        .invalidSettings, "the model has no module '\(name)' to leave as it is; modules have names such as '\(example)'"
      )
    }
    return idle
  }
}

/// Scales of activations, as small tensors.
private struct CalibratedScales {
  private let rule: ScaleRule
  private let ranges: ActivationRanges

  init(_ scheme: QuantizationScheme, format: ElementFormat, ranges: ActivationRanges) {
    rule = ScaleRule(format: format, search: .none, rounding: scheme.rounding)
    self.ranges = ranges
  }

  func scale(at site: Site, layer: Int) throws -> LazyTensor {
    guard let maximum = ranges.maximum(at: site, layer: layer) else {
      throw CompressionError(
        .wrongStatistics, "the statistics have nothing of \(site.rawValue) in layer \(layer); calibrate again")
    }
    guard maximum.isFinite else {
      throw CompressionError(.wrongStatistics, "the statistics of \(site.rawValue) in layer \(layer) are not finite")
    }
    // The reference measures activations that are BF16.
    let scale = try rule.scale(
      maximum: rule.rounding == .compat ? BFloat16Bits.rounded(maximum) : maximum,
      name: "\(site.rawValue) in layer \(layer)")
    return LazyTensor([scale], shape: [1]).converted(to: rule.format, name: site.rawValue)
  }
}

extension WeightKey {
  /// The head stays as it is: it is the most sensitive matrix, and engines expect it so.
  var isQuantizable: Bool { role.isLinear && role != .head && part == .weight }
}
