internal import ModelArchitectures

/// A weight too large to be kept as F32, decoded a few rows at a time whenever it is used: the head of a large vocabulary.
struct PanelledOperator: LinearOperator {
  let source: any WeightSource
  let key: WeightKey
  let outputCount: Int
  let inputCount: Int
  let rowsPerPanel: Int
  let workspace: Workspace

  func apply(to input: Matrix, into output: Matrix) throws {
    try forEachPanel { rows, weight in
      BLAS.multiplyInParallel(
        input.panel, weight.panel, transposed: .right, into: output.panel.columns(rows))
    }
  }

  func applyTransposed(to outputGradient: Matrix, into inputGradient: Matrix, isAdded: Bool) throws {
    try forEachPanel { rows, weight in
      BLAS.multiplyInParallel(
        outputGradient.panel.columns(rows), weight.panel, into: inputGradient.panel,
        keeping: isAdded || rows.lowerBound > 0 ? 1 : 0)
    }
  }

  private func forEachPanel(_ body: (Range<Int>, Matrix) -> Void) throws {
    let panel = Matrix(rows: min(rowsPerPanel, outputCount), columns: inputCount, workspace: workspace)
    for start in stride(from: 0, to: outputCount, by: rowsPerPanel) {
      let rows = start..<min(start + rowsPerPanel, outputCount)
      let weight = panel.view(rows: 0..<rows.count)
      try DecodeJob.run(DecodeJob.jobs(key, rows: rows, into: weight), source)
      body(rows, weight)
    }
  }
}
