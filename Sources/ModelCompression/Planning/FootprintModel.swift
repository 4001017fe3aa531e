public import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
internal import Synchronization
internal import TensorFormats

/// Footprints of a parent cut to any sizes, in an output format, without a plan.
///
/// Bytes come from a model of these shapes that has no numbers, so every rule of writing holds: scales, vectors of GGUF, rows that do
/// not fill blocks. They are exact if all layers of the parent have the same formats, or are converted to one.
public final class FootprintModel: Sendable {
  public let parent: Checkpoint
  public let output: OutputFormat
  public let context: Int
  private let bytes = Mutex<[Widths: LayeredBytes]>([:])

  public init(of parent: Checkpoint, as output: OutputFormat, context: Int) {
    self.parent = parent
    self.output = output
    self.context = context
  }

  /// - Throws: `CheckpointError.notExpressible` for what the file format cannot say.
  public func callAsFunction(_ sizes: Hyperparameters) throws -> ModelFootprint {
    let widths = Widths(sizes)
    let known = bytes.withLock { $0[widths] }
    let layered = try known ?? measured(sizes)
    if known == nil { bytes.withLock { $0[widths] = layered } }
    return ModelFootprint(
      sizes, of: parent.architecture, weightBytes: layered.base + layered.perLayer * sizes.layerCount,
      embeddingBytes: layered.embedding, cacheFormat: output.cacheFormat, context: context)
  }

  private func measured(_ sizes: Hyperparameters) throws -> LayeredBytes {
    let one = try output.outline(of: parent.outline(sizes.keeping(layers: [0])))
    let none = try output.outline(of: parent.outline(sizes.keeping(layers: [])))
    let base = try none.byteCount(as: output.fileFormat)
    return LayeredBytes(
      base: base, perLayer: try one.byteCount(as: output.fileFormat) - base,
      embedding: one.weights[WeightKey(.embedding)]?.byteCount ?? 0)
  }

  private struct Widths: Hashable {
    let sizes: [Int]

    init(_ sizes: Hyperparameters) { self.sizes = Axis.allCases.map { sizes.size(of: $0) } }
  }

  private struct LayeredBytes {
    let base: Int
    let perLayer: Int
    let embedding: Int
  }
}

extension Checkpoint {
  /// A model of other sizes whose weights have shapes and formats, and no numbers.
  fileprivate func outline(_ sizes: Hyperparameters) -> Checkpoint {
    var result = self
    result.hyperparameters = sizes
    result.weights = [:]
    for (key, spec) in architecture.weights(for: sizes) {
      guard let original = weights[WeightKey(key.role, key.part, layer: key.layer.map { _ in 0 })] else { continue }
      result.weights[key] = original.outline(shape: spec.shape(in: sizes))
    }
    return result
  }
}

extension Weight {
  fileprivate func outline(shape new: [Int]) -> Weight {
    // A block format whose blocks a cut does not fill becomes F16, as when columns are gathered.
    let fillsBlocks = new.count < 2 || new[new.count - 1].isMultiple(of: format.blockElements)
    let values = LazyTensor(format: fillsBlocks ? format : .f16, shape: new, source: NoNumbers())
    var result = Weight(values)
    result.scale = scale.map { scale in
      let shape = scale.granularity.gridShape(of: new)
      return ScaleGrid(LazyTensor(format: scale.values.format, shape: shape, source: NoNumbers()), scale.granularity)
    }
    result.inputScale = inputScale
    result.cacheScale = cacheScale
    return result
  }
}

/// Where a tensor of a model that exists only as shapes would have its bytes.
private struct NoNumbers: TensorSource {
  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    preconditionFailure("an outline has no numbers")
  }
}
