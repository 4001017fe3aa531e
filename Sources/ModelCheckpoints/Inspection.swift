internal import GGUFFormat
internal import ModelArchitectures
internal import OrderedCollections
internal import SafetensorsFormat
public import TensorFormats

/// The header facts of a model file or directory, of any family, read without its data.
public struct Inspection: Sendable, Encodable {
  public let path: String
  public let fileFormat: String
  /// `model_type` or `general.architecture`; nil for a bare safetensors file.
  public let family: String?
  /// Whether this package knows the family.
  public let isSupported: Bool
  public let parameterCount: Int
  public let byteCount: Int
  public let tensorCount: Int
  public let formats: [FormatShare]
  public let metadata: [Entry]
  public let tensors: [Tensor]
  public let warnings: [String]

  /// What one element format holds.
  public struct FormatShare: Sendable, Encodable {
    public let format: ElementFormat
    public let tensorCount: Int
    public let elementCount: Int
    public let byteCount: Int
  }

  public struct Entry: Sendable, Encodable {
    public let key: String
    public let value: JSON
  }

  public struct Tensor: Sendable, Encodable {
    public let name: String
    public let format: ElementFormat
    public let shape: [Int]
    public let byteCount: Int
    /// The file within a directory or a split model.
    public let file: String
  }

  /// Opens a safetensors file, a GGUF file or a directory. Throws as `Checkpoint.init(path:)`.
  public init(path: String) throws {
    try Checkpoint.refuseUnsafe(FileSystem.baseName(path))
    switch FileSystem.kind(of: path) {
    case .directory: try self.init(directory: path)
    case .file where path.hasSuffix(".safetensors"):
      self.init(path: path, fileFormat: "safetensors", config: nil, files: try SafetensorsFileSet(path: path))
    case .file where path.hasSuffix(".index.json"): try self.init(directory: FileSystem.directoryName(path))
    case .file: try self.init(gguf: path)
    case .other, nil: throw CheckpointError(.notFound, "no model at '\(path)'")
    }
  }

  private init(directory: String) throws {
    let files = try SafetensorsFileSet(path: WeightFiles(directory: directory).path)
    let configPath = FileSystem.join(directory, "config.json")
    let config =
      FileSystem.exists(configPath)
      ? try ModelConfig(parsing: FileSystem.read(configPath, limit: CarriedFile.limit), name: "config.json") : nil
    self.init(path: directory, fileFormat: "Hugging Face directory", config: config, files: files)
  }

  private init(path: String, fileFormat: String, config: ModelConfig?, files: SafetensorsFileSet) {
    let family = config?["model_type"]?.string
    let entries = config?.object.map { Entry(key: $0.key, value: $0.value) }
    self.init(
      path: path, fileFormat: fileFormat, family: family,
      isSupported: family.flatMap(Architecture.named) != nil,
      metadata: entries ?? files.files.flatMap { $0.metadata.map { Entry(key: $0.key, value: .string($0.value)) } },
      tensors: files.files.flatMap { file in
        file.tensors.map { Tensor($0.info, $0.range.count, file: FileSystem.baseName(file.file.path)) }
      },
      warnings: files.warnings.map(\.description))
  }

  private init(gguf path: String) throws {
    let files = try GGUFFileSet(path: path)
    let family = files.metadata["general.architecture"]?.string
    self.init(
      path: path, fileFormat: files.files.count == 1 ? "GGUF" : "GGUF in \(files.files.count) files", family: family,
      isSupported: family.flatMap(Architecture.gguf) != nil,
      metadata: files.metadata.map { Entry(key: $0.key, value: $0.value.inspected) },
      tensors: files.tensors.map {
        Tensor($0.info, $0.range.count, file: FileSystem.baseName(files.file(of: $0).file.path))
      },
      warnings: [])
  }

  private init(
    path: String, fileFormat: String, family: String?, isSupported: Bool, metadata: [Entry], tensors: [Tensor],
    warnings: [String]
  ) {
    self.path = path
    self.fileFormat = fileFormat
    self.family = family
    self.isSupported = isSupported
    self.metadata = metadata
    self.tensors = tensors
    self.warnings = warnings
    tensorCount = tensors.count
    byteCount = tensors.reduce(0) { $0 + $1.byteCount }
    parameterCount = tensors.filter(\.holdsParameters).reduce(0) { $0 + $1.elementCount }
    formats = Self.shares(tensors)
  }

  private static func shares(_ tensors: [Tensor]) -> [FormatShare] {
    let groups = OrderedDictionary(grouping: tensors, by: \.format)
    let shares = groups.map { format, tensors in
      FormatShare(
        format: format, tensorCount: tensors.count, elementCount: tensors.reduce(0) { $0 + $1.elementCount },
        byteCount: tensors.reduce(0) { $0 + $1.byteCount })
    }
    return shares.sorted { $0.byteCount > $1.byteCount }
  }
}

extension Inspection.Tensor {
  init(_ info: TensorInfo, _ byteCount: Int, file: String) {
    self.init(name: info.name, format: info.format, shape: info.shape, byteCount: byteCount, file: file)
  }

  public var elementCount: Int { shape.reduce(1, *) }

  /// Scales of quantized weights and tables that follow from the configuration are not parameters.
  var holdsParameters: Bool {
    let suffixes = ["_scale", "_scale_inv", "input_scale", "rope_freqs.weight", "rotary_emb.inv_freq"]
    return !suffixes.contains { name.hasSuffix($0) }
  }
}

extension GGUFValue {
  /// The value as JSON; long arrays by their first elements.
  fileprivate var inspected: JSON {
    if let array {
      let shown = array.prefix(8).map(\.inspected)
      return array.count <= 8 ? .array(shown) : ["count": .int(array.count), "first": .array(shown)]
    }
    if let bool { return .bool(bool) }
    if let int { return .int(int) }
    if case .float32(let value) = self, value.isFinite { return .number(JSONNumber(value)) }
    if let double, double.isFinite { return .double(double) }
    return .string(rawString?.description ?? description)
  }
}
