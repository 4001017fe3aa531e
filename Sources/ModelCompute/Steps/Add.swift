internal import ModelArchitectures

// all (tokens, width)
extension AddStep: ExecutableStep {
  var savedSites: [Site] { [] }

  func forward(_ frame: Frame) -> Matrix {
    let terms = inputs.map { frame.sites[$0] }
    let output = frame.makeMatrix(like: terms[0])
    addRows(terms[0], terms[1], into: output)
    for term in terms.dropFirst(2) { addRows(output, term, into: output) }
    return output
  }

  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) {
    for input in inputs { sites.add(gradient, to: input) }
  }
}
