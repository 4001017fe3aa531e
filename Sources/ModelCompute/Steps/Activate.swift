internal import ModelArchitectures

// all (tokens, width)
extension ActivateStep: ExecutableStep {
  var savedSites: [Site] { [input] }

  func forward(_ frame: Frame) -> Matrix {
    let input = frame.sites[input]
    let output = frame.makeMatrix(like: input)
    let activation = activation
    forEachRowRange(rows: input.rows, columns: input.columns, cost: 0.5) { rows in
      let (x, y) = (input.view(rows: rows), output.view(rows: rows))
      activation.apply(x.start, into: y.start, count: x.count)
    }
    return output
  }

  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) {
    let input = frame.sites[input]
    let output = frame.makeMatrix(like: input)
    let activation = activation
    forEachRowRange(rows: input.rows, columns: input.columns, cost: 1) { rows in
      let (x, g, y) = (input.view(rows: rows), gradient.view(rows: rows), output.view(rows: rows))
      activation.applyGradient(at: x.start, of: g.start, into: y.start, count: x.count)
    }
    sites.add(new: output, to: self.input)
  }
}
