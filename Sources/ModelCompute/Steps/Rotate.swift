internal import ModelArchitectures

// input, output: (tokens, heads · head dimension)
extension RotateStep: ExecutableStep {
  var savedSites: [Site] { [] }

  func forward(_ frame: Frame) -> Matrix { rotated(frame.sites[input], frame, direction: 1) }

  /// A rotation's transpose turns back.
  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) {
    sites.add(new: rotated(gradient, frame, direction: -1), to: input)
  }

  private func rotated(_ input: Matrix, _ frame: Frame, direction: Float) -> Matrix {
    let output = frame.makeMatrix(like: input)
    let positions = frame.batch.positions
    let table = frame.network.rotations.table(rotary, positions: (positions.max() ?? 0) + 1)
    let head = frame.network.hyperparameters.headDimension
    forEachRowRange(rows: input.rows, columns: input.columns) { rows in
      for row in rows {
        let (cosines, sines) = table.row(positions[row])
        for start in stride(from: 0, to: input.columns, by: head) {
          let (x, y) = (input[row].baseAddress! + start, output[row].baseAddress! + start)
          rotateHead(x, cosines, sines, direction, half: table.half, into: y)
          for channel in 2 * table.half..<head { y[channel] = x[channel] }
        }
      }
    }
    return output
  }
}

/// Turns the pairs (i, i + half) by the angles of a row of the table.
private func rotateHead(
  _ x: UnsafePointer<Float>, _ cosines: UnsafePointer<Float>, _ sines: UnsafePointer<Float>, _ direction: Float,
  half: Int, into y: UnsafeMutablePointer<Float>
) {
  for pair in 0..<half {
    let (cosine, sine) = (cosines[pair], direction * sines[pair])
    let (first, second) = (x[pair], x[pair + half])
    y[pair] = first * cosine - second * sine
    y[pair + half] = second * cosine + first * sine
  }
}
