#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
internal import ModelArchitectures
public import ModelCheckpoints

extension LayerCosts {
  /// What dropping layers costs in a task: of the parent's right answers, the share that is lost.
  ///
  /// Minitron's choice (arXiv 2408.11796 §2.2) was by Winogrande. Few questions give many ties, which the probability of the right
  /// choices decides: it counts for less than half a question.
  ///
  /// - Parameters:
  ///   - questions: made for this model.
  ///   - lengths: of the runs to drop; 1 is every layer on its own.
  public init(
    of model: Checkpoint, on questions: TaskSet, lengths: Set<Int>, progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    let layerCount = model.hyperparameters.layerCount
    var runs = (0..<layerCount).map { [Double](repeating: .nan, count: layerCount - $0) }
    let measured = lengths.filter { (1..<layerCount).contains($0) }.sorted().flatMap { length in
      (0...layerCount - length).map { $0..<$0 + length }
    }
    let whole = try TaskResult(of: model, on: questions).rightShare
    for (index, run) in measured.enumerated() {
      progress(WorkProgress(phase: "answering without layers", completed: index, total: measured.count, unit: .blocks))
      let kept = (0..<layerCount).filter { !run.contains($0) }
      let result = try TaskResult(of: model.keeping(layers: kept), on: questions)
      runs[run.lowerBound][run.count - 1] = whole - result.rightShare
    }
    self.init(.task, runs: runs)
  }
}

extension TaskResult {
  /// The share of right answers, by `acc_norm` where the task has it, and beside it less than half a question for their probability.
  var rightShare: Double {
    let right = questions.task.hasNormalizedAccuracy ? isRightNormalized : isRight
    let count = Double(max(right.count, 1))
    return Double(right.count { $0 }) / count + meanRightProbability / (2 * count)
  }

  /// The mean probability of the right choice among the choices.
  private var meanRightProbability: Double {
    let items = questions.items
    let sum = items.indices.reduce(0.0) { sum, index in
      let scores = logLikelihoods[index]
      let best = scores.max() ?? 0
      let total = scores.reduce(0.0) { $0 + exp($1 - best) }
      return sum + exp(scores[items[index].answer] - best) / total
    }
    return sum / Double(max(items.count, 1))
  }
}
