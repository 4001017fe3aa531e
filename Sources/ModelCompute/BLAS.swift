internal import CModelBLAS
internal import TensorFormats

/// Matrix products over OpenBLAS.
///
/// Threads: OpenBLAS runs on one, always; products are cut into tiles here and the tiles given to the same workers as all
/// other work (`parallelChunks`). So there is one pool, nothing is oversubscribed, and attention can multiply inside its own
/// workers. The setting is global to the process: a program that uses OpenBLAS for itself can raise it again after the first
/// product here.
enum BLAS {
  private static let isSingleThreaded: Bool = {
    openblas_set_num_threads(1)
    return true
  }()

  /// Floating-point operations below which a product is not worth a second core.
  private static let smallest = 8_000_000
  /// Operations of one tile, about a millisecond.
  private static let tile = 100_000_000

  /// Which of two factors is given transposed.
  enum Transposed { case none, left, right }

  /// output = factor · left · right + keep · output, on the calling thread.
  static func multiply(
    _ left: Panel, _ right: Panel, transposed: Transposed = .none, into output: Panel, factor: Float = 1,
    keeping keep: Float = 0
  ) {
    let inner = transposed == .left ? left.rows : left.columns
    precondition((transposed == .left ? left.columns : left.rows) == output.rows)
    precondition((transposed == .right ? right.rows : right.columns) == output.columns)
    precondition((transposed == .right ? right.columns : right.rows) == inner)
    guard isSingleThreaded, output.rows > 0, output.columns > 0 else { return }
    if output.rows == 1 && transposed != .left {
      // One row: sgemm would be three times slower.
      cblas_sgemv(
        CblasRowMajor, transposed == .right ? CblasNoTrans : CblasTrans, Int32(right.rows), Int32(right.columns),
        factor,
        right.start, Int32(right.stride), left.start, 1, keep, output.start, 1)
    } else {
      cblas_sgemm(
        CblasRowMajor, transposed == .left ? CblasTrans : CblasNoTrans,
        transposed == .right ? CblasTrans : CblasNoTrans,
        Int32(output.rows), Int32(output.columns), Int32(inner), factor, left.start, Int32(left.stride), right.start,
        Int32(right.stride), keep, output.start, Int32(output.stride))
    }
  }

  /// The same on all cores.
  static func multiplyInParallel(
    _ left: Panel, _ right: Panel, transposed: Transposed = .none, into output: Panel, keeping keep: Float = 0
  ) {
    let inner = transposed == .left ? left.rows : left.columns
    let cutsRows = output.rows >= output.columns
    let length = cutsRows ? output.rows : output.columns
    parallelChunks(of: length, size: chunk(length, operations: 2 * output.rows * output.columns * inner)) { range in
      if cutsRows {
        let part = transposed == .left ? left.columns(range) : left.rows(range)
        multiply(part, right, transposed: transposed, into: output.rows(range), keeping: keep)
      } else {
        let part = transposed == .right ? right.rows(range) : right.columns(range)
        multiply(left, part, transposed: transposed, into: output.columns(range), keeping: keep)
      }
    }
  }

  /// Rows or columns of a tile: whole rounds of all workers, in multiples of 16 so that kernels meet no ragged edge.
  private static func chunk(_ length: Int, operations: Int) -> Int {
    guard operations > smallest && processorCount > 1 else { return max(1, length) }
    let rounds = max(1, operations / (tile * processorCount))
    let pieces = min(processorCount * rounds, max(1, length / 64))
    return ((length + pieces - 1) / pieces + 15) & ~15
  }
}
