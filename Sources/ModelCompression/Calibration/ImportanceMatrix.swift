internal import GGUFFormat
internal import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

/// An importance matrix as llama.cpp reads it (`llama-quantize --imatrix`): the squares of what each linear weight multiplies, summed
/// over all tokens for each column.
///
/// GGUF with the metadata `general.type` = "imatrix", `imatrix.datasets`, `imatrix.chunk_count` and `imatrix.chunk_size`, and for every
/// weight by its GGUF name, in the order of names, `….in_sum2` (F32 [columns]), `….counts` (F32 [1], tokens) and `….in_sum`, the sums
/// without squares (llama.cpp's tools/imatrix/imatrix.cpp). The head is in it unless it is the embedding: that is not read as an
/// importance of columns there.
public struct ImportanceMatrix: Sendable {
  private let entries: [Entry]
  private let settings: StatisticsFile.Settings

  private struct Entry: Sendable {
    let name: String
    let statistics: ChannelStatistics
  }

  /// - Parameter model: the model that the statistics are of.
  public init(_ file: StatisticsFile, of model: Checkpoint) {
    let sizes = model.hyperparameters
    let program = model.architecture.program(for: sizes)
    var entries: [Entry] = []
    for (layer, steps) in program.blocks.enumerated() {
      for case .linear(let step) in steps {
        guard let statistics = file.statistics.layers[layer][step.input] else { continue }
        entries.append(
          Entry(name: model.ggufName(of: WeightKey(step.weight, layer: layer)), statistics: statistics))
      }
    }
    for case .linear(let step) in program.head where step.weight == .head {
      entries.append(
        Entry(name: model.ggufName(of: WeightKey(step.weight)), statistics: file.statistics.finalHidden))
    }
    self.entries = entries.sorted { $0.name < $1.name }
    settings = file.settings
  }

  /// Writes the file; it appears under its name when it is complete.
  public func write(to path: String, overwrite: Bool = false) throws {
    var infos: [TensorInfo] = []
    var values: [String: [Float]] = [:]
    func add(_ name: String, _ numbers: [Double]) {
      infos.append(TensorInfo(name: name, format: .f32, shape: [numbers.count]))
      values[name] = numbers.map { Float($0) }
    }
    for entry in entries {
      let tokens = Double(entry.statistics.tokenCount)
      add(entry.name + ".in_sum2", entry.statistics.squareTotals)
      add(entry.name + ".counts", [tokens])
      add(entry.name + ".in_sum", entry.statistics.totals)
    }
    let writer = try GGUFWriter(metadata: metadata, tensors: infos)
    let output = try OutputFile(path: path, overwrite: overwrite, expectedSize: writer.fileSize)
    try writer.write(to: output) { info, sink in
      try values[info.name]!.map(\.bitPattern.littleEndian).withUnsafeBytes { try sink($0) }
    }
    try output.commit()
  }

  /// A chunk is as long as the longest sequence.
  private var metadata: OrderedDictionary<String, GGUFValue> {
    let size = max(settings.context, 1)
    return [
      "general.type": GGUFValue("imatrix"),
      "imatrix.datasets": GGUFValue([settings.text]),
      "imatrix.chunk_count": .uint32(UInt32(clamping: settings.tokens / size)),
      "imatrix.chunk_size": .uint32(UInt32(clamping: size)),
    ]
  }
}
