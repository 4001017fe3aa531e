internal import ModelCompute
internal import TensorFormats

/// A matrix as the source of an F32 tensor, without a copy.
struct MatrixTensor: TensorSource {
  let matrix: Matrix

  func withRows(_ rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try body(UnsafeRawBufferPointer(matrix.view(rows: rows).values))
  }
}

extension LazyTensor {
  /// The values of a matrix; of one row as a vector if the shape is one.
  init(_ matrix: Matrix, shape: [Int]) {
    precondition(shape.reduce(1, *) == matrix.count)
    self.init(format: .f32, shape: shape, source: MatrixTensor(matrix: matrix))
  }
}
