public import ModelCheckpoints
internal import ModelCompute

/// How good a student is on text that it is not trained on.
public struct HeldOutQuality: Sendable, Codable, Equatable {
  /// Mean KL(teacher ‖ student) over all tokens, in nats; nil without a teacher.
  public let divergence: Double?
  public let perplexity: Perplexity

  /// What decides which student is better: the divergence, or the loss.
  public var score: Double { divergence ?? perplexity.meanLoss }

  /// What several models are on one text, each against the same parent, which runs once.
  public static func of(
    _ models: [Checkpoint], against parent: Checkpoint, on set: CalibrationSet,
    progress: @escaping WorkProgress.Handler = { _ in }
  ) throws -> [HeldOutQuality] {
    let heldOut = try HeldOut(set, teacher: Teacher(parent), progress: progress)
    return try models.map { try heldOut.quality(of: $0.network) }
  }
}

/// The held-out text with what the teacher says about it, made once.
final class HeldOut {
  private let groups: [[[Int]]]
  private let teacherStates: [Matrix]
  private let teacher: Teacher?

  init(_ set: CalibrationSet, teacher: Teacher?, progress: @escaping WorkProgress.Handler) throws {
    try set.checkScoredTokens()
    groups = set.groups
    self.teacher = teacher
    var states: [Matrix] = []
    for group in groups {
      guard let teacher else { break }
      states.append(try teacher.states(of: TokenBatch(group)).final)
      progress(
        WorkProgress(phase: "teacher on held-out text", completed: states.count, total: groups.count, unit: .blocks))
    }
    teacherStates = states
  }

  func quality(of student: Network) throws -> HeldOutQuality {
    let head = try student.head()
    var losses = TokenLosses()
    var divergence = 0.0
    let count = groups.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } }
    for (index, group) in groups.enumerated() {
      let hidden = try student.finalHidden(student.run(TokenBatch(group)))
      var start = 0
      for sequence in group {
        try head.forEachPanel(hidden.view(rows: start..<start + sequence.count)) { rows, logits in
          if let teacher {
            let loss = LogitDivergence(over: count, from: .hidden(teacherStates[index], try teacher.head.get()))
            divergence += try loss.evaluate(logits.copy(), rows: start + rows.lowerBound..<start + rows.upperBound)
          }
          logits.applyLogSoftmax()
          losses.add(logits, positions: rows, of: sequence)
        }
        start += sequence.count
      }
    }
    return HeldOutQuality(divergence: teacher == nil ? nil : divergence, perplexity: losses.perplexity)
  }
}
