internal import ModelArchitectures

/// A linear step whose output joins the residual stream: what healing refits.
struct ResidualTerm {
  /// Place of the linear step in the program of the block.
  let index: Int
  let linear: LinearStep
  /// The norm between the step and the stream, for families that have one.
  let postNorm: NormStep?
  /// What the stream is made of before this term.
  let others: [Site]
  /// The sum of the others and this term, where the program has it: the whole stream behind an addition.
  let sum: Site?

  /// Steps from the linear one up to where its contribution is complete.
  var stepCount: Int { postNorm == nil ? 1 : 2 }
  /// What joins the stream.
  var contribution: Site { postNorm?.output ?? linear.output }

  func key(_ part: WeightKey.Part, layer: Int) -> WeightKey { WeightKey(linear.weight, part, layer: layer) }

  /// The terms of a block, in the order of its program.
  static func all(in steps: [Step]) -> [ResidualTerm] {
    steps.indices.compactMap { index in
      guard case .linear(let linear) = steps[index] else { return nil }
      var (contribution, postNorm): (Site, NormStep?) = (linear.output, nil)
      if index + 1 < steps.count, case .norm(let norm) = steps[index + 1], norm.input == linear.output,
        norm.heads == nil
      {
        (contribution, postNorm) = (norm.output, norm)
      }
      for case .add(let add) in steps[index...] {
        guard let place = add.inputs.firstIndex(of: contribution) else { continue }
        return ResidualTerm(
          index: index, linear: linear, postNorm: postNorm, others: Array(add.inputs[..<place]),
          sum: place == add.inputs.count - 1 ? add.output : nil)
      }
      return nil
    }
  }
}
