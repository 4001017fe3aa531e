public import ModelArchitectures
internal import OrderedCollections
internal import Synchronization
public import TensorFormats

extension Checkpoint {
  /// One hash of everything that determines what the model computes: its family, its hyperparameters, and every weight's name,
  /// format, shape and bytes.
  ///
  /// Equal for the same model under another name, sharded or not, and for a lazy checkpoint and the file it is written to. Tokenizer
  /// and file layout have no part in it. Reads the whole model once, on all cores.
  ///
  /// The rule, so that others can follow it: a weight is hashed in pieces of whole rows, at most 8 MiB each (one row if it is
  /// longer); the hash of a tensor is that of a line `name format shape` and the hashes of its pieces; the hash of the model is that
  /// of the family, the hyperparameters that differ from the defaults as JSON with sorted keys, and the hashes of its tensors sorted
  /// by name.
  /// - Throws: `CheckpointError` or `TensorError` of a weight that cannot be read, `CancellationError`.
  public func contentHash(progress: @escaping WorkProgress.Handler = { _ in }) throws -> ContentHash {
    let title = "mtconv model 1\n\(architecture.name)\n\(try hyperparameters.canonicalText)\n"
    return try ContentHash(of: weights.flatMap { hashedTensors($0, $1) }, title: title, progress: progress)
  }

  /// The hash of a weight alone: of its name, format, shape and bytes, and those of its scales.
  public func contentHash(of key: WeightKey) throws -> ContentHash {
    guard let weight = weights[key] else {
      throw CheckpointError(.missingTensor, "tensor '\(huggingFaceName(of: key))' is missing")
    }
    return try ContentHash(of: hashedTensors(key, weight))
  }

  /// Values and scales by their Hugging Face names, whatever file holds them.
  private func hashedTensors(_ key: WeightKey, _ weight: Weight) -> [(name: String, tensor: LazyTensor)] {
    let name = huggingFaceName(of: key)
    let scales = [("_scale", weight.scale?.values), ("_input", weight.inputScale), ("_cache", weight.cacheScale)]
    return [(name, weight.values)] + scales.compactMap { suffix, tensor in tensor.map { (name + suffix, $0) } }
  }
}

extension ContentHash {
  /// The hash of tensors with their names, formats and shapes, in whatever order; read once, on all cores. The rule stands at
  /// `Checkpoint.contentHash`.
  public init(
    of tensors: [(name: String, tensor: LazyTensor)], title: String = "",
    progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    let tensors = tensors.sorted { $0.name < $1.name }
    let leaves = try Self.leafHashes(of: tensors.map(\.tensor), progress)
    var all = ContentHasher()
    all.update(title)
    for (tensor, leaves) in zip(tensors, leaves) {
      var hasher = ContentHasher()
      let shape = tensor.tensor.shape.map(String.init).joined(separator: ",")
      hasher.update("\(tensor.name) \(tensor.tensor.format.name) \(shape)\n")
      for leaf in leaves { hasher.update(leaf.bytes) }
      all.update(hasher.finalized().bytes)
    }
    self = all.finalized()
  }

  private static func leafHashes(
    of tensors: [LazyTensor], _ progress: @escaping WorkProgress.Handler
  ) throws -> [[ContentHash]] {
    let pieces = tensors.indices.flatMap { index in tensors[index].hashedPieces.map { (index, $0) } }
    let total = tensors.reduce(0) { $0 + $1.byteCount }
    let state = Mutex((hashes: [ContentHash?](repeating: nil, count: pieces.count), completed: 0))
    try parallelChunks(of: pieces.count, size: 2) { chunk in
      try Task.checkCancellation()
      let parts = chunk.map { HashedRows(tensor: tensors[pieces[$0].0], rows: pieces[$0].1) }
      let hashes = try parts.count == 2 ? HashedRows.hashes(of: parts[0], parts[1]) : parts.map { try $0.hash() }
      let completed = state.withLock { state in
        for (piece, hash) in zip(chunk, hashes) { state.hashes[piece] = hash }
        state.completed += parts.reduce(0) { $0 + $1.rows.count * $1.tensor.rowByteCount }
        return state.completed
      }
      progress(WorkProgress(phase: "hashing", completed: completed, total: total, unit: .bytes))
    }
    var result = [[ContentHash]](repeating: [], count: tensors.count)
    for (piece, hash) in zip(pieces, state.withLock { $0.hashes }) { result[piece.0].append(hash!) }
    return result
  }
}

extension LazyTensor {
  private static let hashedPieceSize = 8 << 20

  /// Rows that are hashed together.
  fileprivate var hashedPieces: [Range<Int>] {
    guard elementCount > 0 else { return [] }
    let step = max(1, Self.hashedPieceSize / max(rowByteCount, 1))
    return stride(from: 0, to: rowCount, by: step).map { $0..<min($0 + step, rowCount) }
  }
}

/// Rows that have a hash of their own.
private struct HashedRows {
  let tensor: LazyTensor
  let rows: Range<Int>

  private var panels: [Range<Int>] {
    let count = tensor.panelRowCount
    return stride(from: rows.lowerBound, to: rows.upperBound, by: count).map { $0..<min($0 + count, rows.upperBound) }
  }

  func hash() throws -> ContentHash {
    var hasher = ContentHasher()
    for panel in panels { try tensor.withRows(panel) { hasher.update($0) } }
    return hasher.finalized()
  }

  /// Both hashes, worked out side by side.
  static func hashes(of a: HashedRows, _ b: HashedRows) throws -> [ContentHash] {
    var (first, second) = (ContentHasher(), ContentHasher())
    let (x, y) = (a.panels, b.panels)
    let common = min(x.count, y.count)
    for (p, q) in zip(x, y) {
      try a.tensor.withRows(p) { p in
        try b.tensor.withRows(q) { q in ContentHasher.update(&first, p, &second, q) }
      }
    }
    for p in x[common...] { try a.tensor.withRows(p) { first.update($0) } }
    for q in y[common...] { try b.tensor.withRows(q) { second.update($0) } }
    return [first.finalized(), second.finalized()]
  }
}

extension Hyperparameters {
  /// The members that differ from the defaults as JSON with sorted keys: a member added by a later version changes nothing for
  /// models that do not use it.
  var canonicalText: String {
    get throws { try JSON(encoding: self).differences(from: JSON(encoding: Hyperparameters())).serialized() }
  }
}

extension JSON {
  /// An object without the members that are equal in `defaults`, at every depth; other values as they are.
  fileprivate func differences(from defaults: JSON) -> JSON {
    guard case .object(let members) = self, case .object(let others) = defaults else { return self }
    var result: JSONObject = [:]
    for (key, value) in members.sorted(by: { $0.key < $1.key }) where others[key] != value {
      result[key] = others[key].map { value.differences(from: $0) } ?? value
    }
    return .object(result)
  }
}
