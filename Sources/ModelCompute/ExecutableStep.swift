internal import ModelArchitectures

/// A step as arithmetic. Each kind has its own file under `Steps`, with `backward` below `forward`.
protocol ExecutableStep {
  /// Sites whose values `backward` reads.
  var savedSites: [Site] { get }

  /// The matrix of the output site.
  func forward(_ frame: Frame) throws -> Matrix

  /// Adds to the gradients of the inputs, and of the step's weights, what follows from the gradient of the output.
  func backward(_ gradient: Matrix, _ frame: Frame, _ sites: inout SiteGradients, _ weights: Gradients) throws
}

extension Step {
  var executable: any ExecutableStep {
    switch self {
    case .embed(let step): step
    case .norm(let step): step
    case .linear(let step): step
    case .rotate(let step): step
    case .attend(let step): step
    case .activate(let step): step
    case .multiply(let step): step
    case .add(let step): step
    case .softcap(let step): step
    }
  }
}
