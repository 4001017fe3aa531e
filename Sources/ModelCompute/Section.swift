internal import ModelArchitectures

/// A part of a program with its weights: one block, or what stands before or behind the blocks.
struct Section: Sendable {
  let steps: [Step]
  let weights: StepWeights
  let network: NetworkContext
  /// Sites that nothing reads any more once a step is done.
  private let dead: [[Site]]
  /// The same when a backward pass will follow.
  private let deadButSaved: [[Site]]
  /// Whether the backward pass reads what the last step writes.
  let savesOutput: Bool

  init(_ steps: [Step], _ weights: StepWeights, _ network: NetworkContext) {
    self.steps = steps
    self.weights = weights
    self.network = network
    var seen: Set<Site> = []
    var dead: [[Site]] = []
    for step in steps.reversed() {
      let last = Set(step.inputs).subtracting(seen)
      seen.formUnion(last)
      dead.insert(Array(last), at: 0)
    }
    let saved = Set(steps.flatMap(\.executable.savedSites))
    savesOutput = steps.last.map { saved.contains($0.output) } ?? false
    self.dead = dead
    deadButSaved = dead.map { $0.filter { !saved.contains($0) } }
  }

  /// Runs the steps and returns what the last one writes.
  func forward(
    _ input: (site: Site, matrix: Matrix)?, batch: TokenBatch, past: KeyValueState = .empty, probes: Probes = Probes(),
    trace: Trace? = nil
  ) throws -> Matrix {
    var frame = Frame(weights: weights, batch: batch, past: past, network: network)
    if let input { frame.sites.set(try probes.pass(input.matrix, at: input.site), at: input.site) }
    try run(steps.indices, in: &frame, probes: probes, dropping: trace == nil ? dead : deadButSaved)
    let last = steps[steps.count - 1].output
    trace?.sites = frame.sites
    return frame.sites[last]
  }

  /// Runs some of the steps on what the frame holds.
  func run(_ range: Range<Int>, in frame: inout Frame, probes: Probes = Probes()) throws {
    try run(range, in: &frame, probes: probes, dropping: dead)
  }

  /// The same, but keeps what nothing reads any more.
  func preview(_ range: Range<Int>, in frame: inout Frame) throws {
    try run(range, in: &frame, probes: Probes(), dropping: steps.map { _ in [] })
  }

  private func run(
    _ range: Range<Int>, in frame: inout Frame, probes: Probes, dropping dropped: [[Site]]
  ) throws {
    for index in range {
      let output = try probes.pass(steps[index].executable.forward(frame), at: steps[index].output)
      frame.sites.set(output, at: steps[index].output)
      frame.sites.drop(dropped[index])
    }
  }

  /// Walks the steps in reverse.
  ///
  /// - Parameters:
  ///   - gradient: of the last step's output.
  ///   - added: a further gradient of a site, asked for when all others of the site are known.
  /// - Returns: the gradient of `input`; nil if the loss does not depend on it.
  func backward(
    _ gradient: Matrix, to input: Site?, batch: TokenBatch, trace: Trace, into weightGradients: Gradients,
    adding added: (Site) throws -> Matrix? = { _ in nil }
  ) throws -> Matrix? {
    let frame = Frame(sites: trace.sites, weights: weights, batch: batch, past: .empty, network: network)
    var gradients = SiteGradients(workspace: network.workspace)
    gradients.add(gradient, to: steps[steps.count - 1].output)
    for step in steps.reversed() {
      if let more = try added(step.output) { gradients.add(more, to: step.output) }
      guard let gradient = gradients.take(step.output) else { continue }
      try step.executable.backward(gradient, frame, &gradients, weightGradients)
    }
    return input.flatMap { gradients.take($0) }
  }
}

/// Who looks at sites during a forward pass, and who changes them.
struct Probes {
  var observed: Set<Site> = []
  var observer: ((Site, Matrix) throws -> Void)?
  var replacements: [Site: (Matrix) throws -> Matrix] = [:]

  func pass(_ matrix: Matrix, at site: Site) throws -> Matrix {
    let result = try replacements[site]?(matrix) ?? matrix
    if observed.contains(site) { try observer?(site, result) }
    return result
  }
}
