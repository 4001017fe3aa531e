internal import ModelArchitectures

// all (tokens, width)
extension SoftcapStep: ExecutableStep {
  var savedSites: [Site] { [output] }

  func forward(_ frame: Frame) -> Matrix {
    let input = frame.sites[input]
    let output = frame.makeMatrix(like: input)
    let limit = Float(limit)
    forEachRowRange(rows: input.rows, columns: input.columns, cost: 0.5) { rows in
      let (x, y) = (input.view(rows: rows), output.view(rows: rows))
      softcap(x.start, limit: limit, into: y.start, count: x.count)
    }
    return output
  }

  /// The derivative of limit · tanh(x / limit) is 1 − tanh², which the output gives.
  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) {
    let output = frame.sites[output]
    let result = frame.makeMatrix(like: gradient)
    let limit = Float(limit)
    forEachRowRange(rows: output.rows, columns: output.columns) { rows in
      let (y, x) = (output.view(rows: rows), result.view(rows: rows))
      x.start.update(from: gradient.view(rows: rows).start, count: x.count)
      applySoftcapSlope(at: y.start, limit: limit, to: x.start, count: x.count)
    }
    sites.add(new: result, to: input)
  }
}
