internal import ModelArchitectures
internal import TensorFormats

/// Some rows of a weight and where their values go: a unit of parallel decoding.
struct DecodeJob: Sendable {
  let key: WeightKey
  let rows: Range<Int>
  let values: Matrix

  /// Values of a job, about half a millisecond.
  private static let size = 1 << 20

  /// The jobs that fill `values` with `rows` of a weight.
  static func jobs(_ key: WeightKey, rows: Range<Int>, into values: Matrix) -> [DecodeJob] {
    let step = max(1, size / max(1, values.columns))
    return stride(from: rows.lowerBound, to: rows.upperBound, by: step).map { start in
      let part = start..<min(start + step, rows.upperBound)
      let target = part.lowerBound - rows.lowerBound..<part.upperBound - rows.lowerBound
      return DecodeJob(key: key, rows: part, values: values.view(rows: target))
    }
  }

  static func run(_ jobs: [DecodeJob], _ source: any WeightSource) throws {
    try parallelChunks(of: jobs.count, size: 1) { range in
      for job in jobs[range] { try source.decode(job.key, rows: job.rows, into: job.values.values) }
    }
  }
}
