internal import ModelArchitectures
internal import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

/// Compares two checkpoints weight by weight, in panels of rows on all cores.
struct TensorComparer {
  let reference: Checkpoint
  let other: Checkpoint

  /// One comparison for each weight that both have with the same shape, in order.
  func comparisons(progress: @escaping WorkProgress.Handler) throws -> [TensorComparison] {
    let shared = reference.weights.filter { other.weights[$0.key]?.shape == $0.value.shape }
    let total = shared.values.reduce(0) { $0 + $1.byteCount }
    var completed = 0
    return try shared.map { key, weight in
      try Task.checkCancellation()
      let sums = try Self.sums(weight, other.weights[key]!)
      completed += weight.byteCount
      progress(WorkProgress(phase: "comparing tensors", completed: completed, total: total, unit: .bytes))
      return sums.comparison(name: reference.huggingFaceName(of: key), shape: weight.shape)
    }
  }

  /// Names of weights that only one side has, or has in another shape.
  var unmatched: [String] {
    let missing = reference.weights.filter { other.weights[$0.key]?.shape != $0.value.shape }
    let extra = other.weights.filter { reference.weights[$0.key] == nil }
    return missing.keys.map { reference.huggingFaceName(of: $0) } + extra.keys.map { other.huggingFaceName(of: $0) }
  }

  /// What an engine reads beside the weights and only one side has or says: calibrated scales, and the description of the codes.
  var unmatchedQuantization: [String] {
    let (expected, found) = (reference.calibratedScales, other.calibratedScales)
    let scales = Set(expected.keys).symmetricDifference(found.keys).sorted()
    return scales + (reference.quantization == other.quantization ? [] : ["quantization_config"])
  }

  /// Names of calibrated scales that are other numbers.
  var differingScales: [String] {
    get throws {
      let found = other.calibratedScales
      return try reference.calibratedScales.filter { name, scale in
        try found[name].map { try $0.decoded() != scale.decoded() } ?? false
      }.keys.sorted()
    }
  }

  private static func sums(_ a: Weight, _ b: Weight) throws -> ErrorSums {
    let length = a.values.rowLength
    let count = a.values.rowCount
    let panel = max(1, min(count, (1 << 18) / max(length, 1)))
    let parts = try parallelMap(of: (count + panel - 1) / panel) { part in
      let rows = part * panel..<min((part + 1) * panel, count)
      let count = rows.count * length
      return try withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * count) { values in
        let left = UnsafeMutableBufferPointer(rebasing: values[..<count])
        let right = UnsafeMutableBufferPointer(rebasing: values[count...])
        try a.decode(rows: rows, into: left)
        try b.decode(rows: rows, into: right)
        var sums = ErrorSums()
        sums.add(UnsafeBufferPointer(left), UnsafeBufferPointer(right))
        return sums
      }
    }
    return parts.reduce(into: ErrorSums()) { $0.add($1) }
  }
}
