internal import ModelArchitectures

// all (tokens, width)
extension MultiplyStep: ExecutableStep {
  var savedSites: [Site] { [left, right] }

  func forward(_ frame: Frame) -> Matrix {
    let (left, right) = (frame.sites[left], frame.sites[right])
    let output = frame.makeMatrix(like: left)
    multiplyRows(left, right, into: output)
    return output
  }

  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) {
    let leftGradient = frame.makeMatrix(like: gradient)
    multiplyRows(gradient, frame.sites[right], into: leftGradient)
    sites.add(new: leftGradient, to: left)
    let rightGradient = frame.makeMatrix(like: gradient)
    multiplyRows(gradient, frame.sites[left], into: rightGradient)
    sites.add(new: rightGradient, to: right)
  }
}
