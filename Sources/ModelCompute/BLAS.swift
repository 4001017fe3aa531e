internal import CModelBLAS
internal import TensorFormats

/// Matrix products over OpenBLAS.
///
/// Threads: OpenBLAS runs on one, always; products are cut into tiles here and the tiles given to the same workers as all
/// other work (`parallelChunks`). So there is one pool, nothing is oversubscribed, and attention can multiply inside its own
/// workers. The setting is global to the process: a program that uses OpenBLAS for itself can raise it again after the first
/// product here, and should not multiply while that one is made, because OpenBLAS may change its kernels then (`BLASKernels`).
enum BLAS {
  /// OpenBLAS set up for this process, once: who calls it refers to this first.
  static let setUp: Void = {
    BLASKernels.chooseForProcessor()
    openblas_set_num_threads(1)
  }()

  /// Floating-point operations below which a product is not worth a second core.
  private static let smallest = 8_000_000
  /// Operations above which a tile is halved again, about five milliseconds, so that a core that is late delays little.
  private static let largest = 500_000_000
  /// Sides of a tile up to which it is not halved for that: with many terms to a sum, copying its factors costs more than waiting.
  private static let narrowest = 256

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
    guard output.rows > 0, output.columns > 0 else { return }
    _ = setUp
    if output.rows == 1 && transposed != .left {
      // One row: sgemm would be three times slower.
      cblas_sgemv(
        CblasRowMajor, transposed == .right ? CblasNoTrans : CblasTrans, Int32(right.rows), Int32(right.columns),
        factor,
        right.start, Int32(right.stride), left.start, 1, keep, output.start, 1)
    } else {
      // OpenBLAS zeroes what is not kept, but value by value: a sixth of the time of a product with few terms.
      if keep == 0 { output.zero() }
      cblas_sgemm(
        CblasRowMajor, transposed == .left ? CblasTrans : CblasNoTrans,
        transposed == .right ? CblasTrans : CblasNoTrans,
        Int32(output.rows), Int32(output.columns), Int32(inner), factor, left.start, Int32(left.stride), right.start,
        Int32(right.stride), keep == 0 ? 1 : keep, output.start, Int32(output.stride))
    }
  }

  /// The same on all cores.
  static func multiplyInParallel(
    _ left: Panel, _ right: Panel, transposed: Transposed = .none, into output: Panel, factor: Float = 1,
    keeping keep: Float = 0
  ) {
    let inner = transposed == .left ? left.rows : left.columns
    let grid = grid(output, operations: 2 * output.rows * output.columns * inner)
    parallelChunks(of: grid.rows * grid.columns, size: 1) { tiles in
      for tile in tiles {
        let rows = piece(tile / grid.columns, of: grid.rows, output.rows)
        let columns = piece(tile % grid.columns, of: grid.columns, output.columns)
        multiply(
          transposed == .left ? left.columns(rows) : left.rows(rows),
          transposed == .right ? right.rows(columns) : right.columns(columns), transposed: transposed,
          into: output.rows(rows).columns(columns), factor: factor, keeping: keep)
      }
    }
  }

  /// How many tiles a product is cut into: the longer side is halved until every core has one. Square tiles copy the least of
  /// both factors. The same tiles are taken by one worker alone, because OpenBLAS rounds otherwise at other edges.
  private static func grid(_ output: Panel, operations: Int) -> (rows: Int, columns: Int) {
    guard operations > smallest && processorCount > 1 else { return (1, 1) }
    var (rows, columns) = (1, 1)
    while rows * columns < processorCount
      || operations / (rows * columns) > largest && max(output.rows / rows, output.columns / columns) > narrowest
    {
      if output.rows / rows >= output.columns / columns { rows *= 2 } else { columns *= 2 }
    }
    return (rows, columns)
  }

  /// One of `count` pieces of a length, in multiples of 16 so that kernels meet no ragged edge inside.
  private static func piece(_ index: Int, of count: Int, _ length: Int) -> Range<Int> {
    let size = ((length + count - 1) / count + 15) & ~15
    return min(index * size, length)..<min((index + 1) * size, length)
  }
}
