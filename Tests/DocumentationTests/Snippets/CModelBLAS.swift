// From Sources/CModelBLAS/README.md.
import CModelBLAS

/// The product of two square matrices, row by row.
func product(_ a: [Float], _ b: [Float], size: Int32) -> [Float] {
  var c = [Float](repeating: 0, count: a.count)
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1, a, size, b, size, 0, &c, size)
  return c
}
