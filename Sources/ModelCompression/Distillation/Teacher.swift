internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompute

/// A frozen model that a student learns from.
final class Teacher {
  let model: Checkpoint
  private let network: Network
  /// Decoded in panels: a pass uses each row once, and the student needs the memory.
  private(set) lazy var head = Result { try network.head(denseLimit: 32 << 20) }

  init(_ model: Checkpoint) {
    self.model = model
    network = model.network
  }

  /// What is needed of a pass: the final hidden states, and the residual stream after some numbers of layers.
  struct States {
    let final: Matrix
    let streams: [Int: Matrix]
  }

  func states(of batch: TokenBatch, after depths: Set<Int> = []) throws -> States {
    let embedded = try network.embed(batch)
    var streams: [Int: Matrix] = depths.contains(0) ? [0: embedded] : [:]
    for depth in depths where depth > 0 { streams[depth] = Matrix(rows: batch.rows, columns: embedded.columns) }
    let output = try network.run(
      batch, from: embedded, observing: depths.isEmpty ? [] : [.blockOutput],
      observer: { observation in
        guard let stream = streams[observation.layer + 1] else { return }
        _ = stream.view(rows: observation.rows).values.update(fromContentsOf: observation.values.values)
      })
    return States(final: try network.finalHidden(output), streams: streams)
  }
}
