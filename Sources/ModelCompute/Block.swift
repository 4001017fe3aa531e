public import ModelArchitectures

/// One block of a network with its weights decoded. Let it go when all sequences have been through it.
public struct Block: Sendable {
  /// Its place in the network.
  public let layer: Int
  let section: Section

  /// Runs the block.
  ///
  /// - Parameters:
  ///   - input: `.blockInput`, `tokens × hidden`.
  ///   - past: keys and values from before the batch, for attention.
  ///   - sites: where `observer` looks; `.blockInput` may be one of them. It is called in the order of the program.
  ///   - replacements: what takes the place of a site's matrix, for the steps that read it and for the observer. Gradients pass
  ///     a replacement unchanged (the straight-through estimate).
  ///   - trace: filled for `backward`.
  /// - Returns: `.blockOutput`, `tokens × hidden`.
  public func forward(
    _ input: Matrix, batch: TokenBatch, past: KeyValueState = .empty, observing sites: Set<Site> = [],
    observer: ((Site, Matrix) throws -> Void)? = nil, replacing replacements: [Site: (Matrix) throws -> Matrix] = [:],
    trace: Trace? = nil
  ) throws -> Matrix {
    precondition(input.rows == batch.rows, "\(input.rows) rows for \(batch.rows) tokens")
    let probes = Probes(observed: sites, observer: observer, replacements: replacements)
    return try section.forward((.blockInput, input), batch: batch, past: past, probes: probes, trace: trace)
  }

  /// Runs the block in reverse.
  ///
  /// - Parameters:
  ///   - outputGradient: of the loss with respect to `.blockOutput`, `tokens × hidden`.
  ///   - trace: what `forward` kept for the same batch.
  ///   - gradients: where those of the weights are added.
  ///   - added: a further gradient with respect to a site, from a loss that reads it.
  /// - Returns: the gradient with respect to `.blockInput`.
  public func backward(
    _ outputGradient: Matrix, batch: TokenBatch, trace: Trace, into gradients: Gradients,
    adding added: (Site) throws -> Matrix? = { _ in nil }
  ) throws -> Matrix {
    let result = try section.backward(
      outputGradient, to: .blockInput, batch: batch, trace: trace, into: gradients, adding: added)
    guard let result else { preconditionFailure("the output of a block depends on its input") }
    guard let more = try added(.blockInput) else { return result }
    let sum = Matrix(rows: result.rows, columns: result.columns)
    addRows(result, more, into: sum)
    return sum
  }
}
