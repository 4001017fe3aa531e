internal import ModelArchitectures
internal import TensorFormats

/// A convention for FP8 checkpoints: names and shapes of scales, and the configuration that announces them.
///
/// A dialect is a row of the table below; readers take every name that a row lists, writers the first.
public enum QuantizationDialect: String, CaseIterable, Sendable, Codable {
  /// llm-compressor and vLLM: `quant_method: "compressed-tensors"`.
  case compressedTensors = "compressed-tensors"
  /// DeepSeek and vLLM: `quant_method: "fp8"` with `weight_scale_inv` for blocks, `weight_scale` and `input_scale` for tensors.
  case fp8
  /// NVIDIA ModelOpt, for TensorRT-LLM and vLLM: `hf_quant_config.json` and `quant_method: "modelopt"`.
  case modelOpt = "modelopt"
  /// `FineGrainedFP8Config` of transformers: `quant_method: "fp8"`, always `weight_scale_inv` and `activation_scale`.
  case transformers
  /// `quant_method: "fbgemm_fp8"`: read, not written.
  case fbgemm
}

extension QuantizationDialect {
  /// What a dialect can say: a row of the table that `help` and documentation print.
  public struct Capability: Sendable, Hashable {
    public let weights: ScaleGranularity
    public let activations: ActivationQuantization
    /// Whether calibrated scales of the key-value cache have a place.
    public let takesKeyValueCache: Bool

    init(_ weights: ScaleGranularity, _ activations: ActivationQuantization, keyValueCache: Bool = false) {
      self.weights = weights
      self.activations = activations
      takesKeyValueCache = keyValueCache
    }
  }

  /// Block and group of every scheme that engines have kernels for.
  public static let blockSize = 128

  private static let block = ScaleGranularity.block(rows: blockSize, columns: blockSize)

  /// What can be written in this dialect.
  public var capabilities: [Capability] {
    switch self {
    case .compressedTensors:
      [
        Capability(.row, .perToken, keyValueCache: true),
        Capability(Self.block, .perGroup(Self.blockSize), keyValueCache: true),
        Capability(.tensor, .calibrated, keyValueCache: true),
      ]
    case .fp8:
      [Capability(Self.block, .perGroup(Self.blockSize)), Capability(.tensor, .calibrated, keyValueCache: true)]
    case .modelOpt:
      [
        Capability(.row, .perToken, keyValueCache: true),
        Capability(Self.block, .perGroup(Self.blockSize), keyValueCache: true),
        Capability(.tensor, .calibrated, keyValueCache: true),
      ]
    case .transformers: [Capability(Self.block, .perGroup(Self.blockSize)), Capability(.tensor, .calibrated)]
    case .fbgemm: []
    }
  }

  /// Throws for a layout that this dialect has no words for.
  public func check(_ layout: QuantizationLayout) throws {
    let fitting = capabilities.filter { $0.weights == layout.weights && $0.activations == layout.activations }
    guard !fitting.isEmpty else {
      throw CheckpointError(
        .notExpressible,
        "dialect '\(rawValue)' cannot say: scales by \(layout.weights), activations \(layout.activations)")
    }
    guard !layout.quantizesKeyValueCache || fitting.contains(where: \.takesKeyValueCache) else {
      throw CheckpointError(.notExpressible, "dialect '\(rawValue)' has no place for scales of the key-value cache")
    }
  }

  /// Whether scales have the format that the rest of the model has; F32 otherwise.
  var scalesFollowModel: Bool { self == .compressedTensors }

  // MARK: Names

  /// Suffixes of the scale of `X.weight`, behind `X.`.
  func scaleNames(_ granularity: ScaleGranularity) -> [String] {
    switch (self, granularity) {
    case (.fp8, .block): ["weight_scale_inv", "weight_scale", "scale"]
    case (.fp8, .tensor), (.fp8, .row): ["weight_scale", "weight_scale_inv"]
    case (.transformers, _): ["weight_scale_inv", "weight_scale", "scale"]
    case (.modelOpt, _): ["weight_scale", "weight_scale_inv"]
    case (.compressedTensors, _), (.fbgemm, _): ["weight_scale"]
    }
  }

  /// Suffixes of the scale of the input of `X`.
  var inputScaleNames: [String] {
    self == .transformers ? ["activation_scale", "input_scale"] : ["input_scale", "activation_scale"]
  }

  /// Names of the scale of cached keys or values, of the projection `module`.
  func cacheScaleNames(_ role: WeightRole, module: String) -> [String] {
    guard role == .key || role == .value else { return [] }
    let letter = role == .key ? "k" : "v"
    let attention = module.split(separator: ".").dropLast().joined(separator: ".")
    let inAttention = "\(attention).\(letter)_scale"
    let inProjection = "\(module).\(letter)_scale"
    let old = ["\(module).output_scale", "\(attention).kv_scale"]
    return (self == .modelOpt ? [inProjection, inAttention] : [inAttention, inProjection]) + old
  }

  // MARK: Shapes

  /// The shape that a file keeps a grid in.
  func storedShape(_ grid: ScaleGrid) -> [Int] {
    let (rows, columns) = (grid.rowCount, grid.columnCount)
    switch (self, grid.granularity) {
    case (_, .tensor): return scalarShape
    case (.modelOpt, .row): return [rows]
    case (.modelOpt, .block): return [rows, 1, columns, 1]
    case (.compressedTensors, .row), (.fp8, .row), (.transformers, .row), (.fbgemm, .row): return [rows, 1]
    case (.compressedTensors, .block), (.fp8, .block), (.transformers, .block), (.fbgemm, .block):
      return [rows, columns]
    }
  }

  /// The shape of a single number.
  var scalarShape: [Int] { self == .compressedTensors ? [1] : [] }

  /// The tensors of a weight called `name` as a file of this dialect holds them.
  func tensors(of weight: Weight, _ role: WeightRole, name: String) -> [NamedTensor] {
    let module = name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
    var tensors = [NamedTensor(name: name, tensor: weight.values)]
    if let scale = weight.scale {
      let stored = scale.values.reshaped(to: storedShape(scale))
      // A container that has no name for exponents keeps them as U8.
      let isExponents = stored.format == .f8E8M0 && scalesAreBytes
      tensors.append(
        NamedTensor(
          name: "\(module).\(scaleNames(scale.granularity)[0])",
          tensor: isExponents ? stored.reinterpreted(as: .u8) : stored))
    }
    if let scale = weight.inputScale {
      tensors.append(NamedTensor(name: "\(module).\(inputScaleNames[0])", tensor: scale.reshaped(to: scalarShape)))
    }
    if let scale = weight.cacheScale, let name = cacheScaleNames(role, module: module).first {
      tensors.append(NamedTensor(name: name, tensor: scale.reshaped(to: scalarShape)))
    }
    return tensors
  }

  /// Whether E8M0 scales are stored under the name U8.
  private var scalesAreBytes: Bool { self == .compressedTensors || self == .modelOpt }
}
