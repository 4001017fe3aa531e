public import ModelArchitectures
internal import ModelCheckpoints
internal import TensorFormats

/// The sizes that a model may be cut to.
public struct SizeSpace: Sendable, Equatable {
  /// What may be cut.
  public enum Dimension: String, CaseIterable, Sendable, Codable {
    case layers, hidden
    case intermediate = "ffn"
    case queryHeads = "heads"
    case keyValueHeads = "kv-heads"
  }

  /// How far and how finely.
  public struct Settings: Sendable, Codable, Equatable {
    public var dimensions: Set<Dimension> = [.layers, .intermediate]
    /// Sizes that are given; they are not searched.
    public var fixed = PruningTarget()
    /// Hidden and feed-forward sizes are multiples of it; nil chooses by size.
    public var alignment: Int?
    /// Largest share of layers that may go.
    public var maximumDepth = 0.5
    /// Largest share of each width that may go.
    public var maximumWidth = 0.5

    public init() {}
  }

  /// Values of each size, descending. The first is the parent's, unless another is given.
  public let layers: [Int]
  public let hidden: [Int]
  public let intermediate: [Int]
  /// Query heads that each key-value head keeps.
  public let groupSizes: [Int]
  public let keyValueHeads: [Int]
  public let hiddenAlignment: Int
  public let intermediateAlignment: Int

  /// - Throws: `CompressionError.invalidPlan` for a given size that the model cannot be cut to.
  public init(of parent: Hyperparameters, in output: OutputFormat, settings: Settings = Settings()) throws {
    let fixed = settings.fixed
    func allows(_ dimension: Dimension) -> Bool { settings.dimensions.contains(dimension) }
    func values(
      _ dimension: Dimension, _ size: Int, _ given: Int?, unit: Int, limit: Double
    ) throws -> [Int] {
      if let given {
        guard (1...size).contains(given) else {
          throw CompressionError(.invalidPlan, "\(dimension.rawValue) is \(given), expected 1 to \(size)")
        }
        return [given]
      }
      let smallest = max(1, Int((Double(size) * (1 - limit)).rounded(.up)))
      let cut = stride(from: (size - 1) / unit * unit, through: 1, by: -unit).filter { $0 >= smallest }
      return allows(dimension) ? [size] + cut : [size]
    }
    hiddenAlignment = settings.alignment ?? Self.alignment(of: parent.hiddenSize, in: output)
    intermediateAlignment = settings.alignment ?? Self.alignment(of: parent.intermediateSize, in: output)
    layers = try values(.layers, parent.layerCount, fixed.layers, unit: 1, limit: settings.maximumDepth)
    hidden = try values(
      .hidden, parent.hiddenSize, fixed.hidden, unit: hiddenAlignment, limit: settings.maximumWidth)
    intermediate = try values(
      .intermediate, parent.intermediateSize, fixed.intermediate, unit: intermediateAlignment,
      limit: settings.maximumWidth)
    keyValueHeads = try values(
      .keyValueHeads, parent.keyValueHeadCount, fixed.keyValueHeads, unit: 1, limit: settings.maximumWidth)
    let group = parent.queryHeadCount / parent.keyValueHeadCount
    groupSizes = try Self.groupSizes(group, keyValueHeads, fixed.queryHeads) {
      try values(.queryHeads, group, nil, unit: 1, limit: settings.maximumWidth)
    }
  }

  /// The unit that sizes are best multiples of: 256 or 128 where the parent has sixteen of them, and less in smaller models; never less
  /// than a block of the output format or of its scales, where the parent fills its blocks.
  public static func alignment(of size: Int, in output: OutputFormat) -> Int {
    let units = [256, 128, 64, 32, 16, 8, 4, 2]
    let unit = units.first { size >= 16 * $0 } ?? 1
    let scales = output.quantization?.kind == .fp8Block ? QuantizationDialect.blockSize : 1
    let block = max(output.elementFormat?.blockElements ?? 1, scales)
    return size.isMultiple(of: block) ? max(unit, block) : unit
  }

  private static func groupSizes(
    _ group: Int, _ keyValueHeads: [Int], _ queryHeads: Int?, _ values: () throws -> [Int]
  ) throws -> [Int] {
    guard let queryHeads else { return try values() }
    let sizes = keyValueHeads.filter { queryHeads.isMultiple(of: $0) }.map { queryHeads / $0 }
      .filter { (1...group).contains($0) }
    guard !sizes.isEmpty else {
      throw CompressionError(
        .invalidPlan,
        "cannot keep \(queryHeads) query heads in \(keyValueHeads.max() ?? 0) groups of \(group), "
          + "expected a multiple of \(keyValueHeads.max() ?? 0)")
    }
    return sizes
  }
}
