public import ModelCheckpoints
internal import ModelCompute

/// How a model answered the questions of a task.
public struct TaskResult: Sendable {
  public let questions: TaskSet
  /// For each item, Σ log p of the tokens of each choice, in nats.
  public let logLikelihoods: [[Double]]

  /// Asks a model. All questions of a group go through a layer together; logits are made only where a choice is scored.
  ///
  /// - Parameters:
  ///   - set: made for a model with the same tokenizer.
  ///   - emulation: what of an engine's arithmetic; by default all that the checkpoint says.
  /// - Throws: `invalidTokens` for a model with another vocabulary, `nonFiniteActivation` if a score is no number, and what the forward pass throws.
  public init(
    of model: Checkpoint, on set: TaskSet, emulation: Emulation = .declared,
    progress: @escaping WorkProgress.Handler = { _ in }
  ) throws {
    try model.checkTokens(set.requests.joined().map(\.tokens))
    let requests = Array(set.requests.joined())
    let scorer = try RequestScorer(network: model.network(emulation), requests: requests, progress: progress)
    var scores = try scorer.logLikelihoods()[...]
    guard !scores.contains(where: \.isNaN) else {
      throw CompressionError(
        .nonFiniteActivation, "'\(model.path)' gives numbers that are not finite: nothing can be scored")
    }
    questions = set
    logLikelihoods = set.requests.map { choices in
      defer { scores = scores.dropFirst(choices.count) }
      return Array(scores.prefix(choices.count))
    }
  }

  init(questions: TaskSet, logLikelihoods: [[Double]]) {
    self.questions = questions
    self.logLikelihoods = logLikelihoods
  }

  /// The likeliest choice of an item; the first of equals. Nil if the model gave no number.
  public func choice(of item: Int) -> Int? { logLikelihoods[item].firstMaximum }

  /// The choice that is likeliest for each of its characters.
  public func normalizedChoice(of item: Int) -> Int? {
    zip(logLikelihoods[item], questions.items[item].choices).map { $0 / Double($1.length) }.firstMaximum
  }

  /// Whether each item was answered right.
  public var isRight: [Bool] { questions.items.indices.map { choice(of: $0) == questions.items[$0].answer } }
  public var isRightNormalized: [Bool] {
    questions.items.indices.map { normalizedChoice(of: $0) == questions.items[$0].answer }
  }
}

extension [Double] {
  /// Index of the largest number, of equals the first; what is not a number is passed over.
  fileprivate var firstMaximum: Int? {
    var best: Int?
    for index in indices where !self[index].isNaN {
      if best.map({ self[index] > self[$0] }) ?? true { best = index }
    }
    return best
  }
}

/// Sums log-probabilities of continuations.
private struct RequestScorer {
  let network: Network
  let requests: [TaskRequest]
  let progress: WorkProgress.Handler
  /// Rows of logits at a time.
  private static let panel = 256

  init(network: Network, requests: [TaskRequest], progress: @escaping WorkProgress.Handler) throws {
    self.network = network
    self.requests = requests
    self.progress = progress
  }

  func logLikelihoods() throws -> [Double] {
    var result = [Double](repeating: 0, count: requests.count)
    let inputs = SharedInputs(requests.map(\.input))
    let groups = CalibrationSet(sequences: inputs.sequences).groups
    let head = try network.head()
    let total = inputs.sequences.reduce(0) { $0 + $1.count }
    var (first, completed) = (0, 0)
    for group in groups {
      let tokens = group.reduce(0) { $0 + $1.count }
      func report(_ share: Double) {
        let done = completed + Int(share * Double(tokens))
        progress(WorkProgress(phase: "evaluating", completed: done, total: total, unit: .tokens))
      }
      let hidden = try HiddenStates(network: network)(of: group) { report($0) }
      let positions = scoredPositions(of: group, inputs.users[first..<first + group.count])
      try add(positions, hidden, head, to: &result)
      report(1)
      completed += tokens
      first += group.count
    }
    return result
  }

  /// A row of hidden states that predicts a token of a continuation.
  private struct Position {
    let row: Int
    let request: Int
    let token: Int
  }

  private func scoredPositions(of group: [[Int]], _ users: ArraySlice<[Int]>) -> [Position] {
    var positions: [Position] = []
    var start = 0
    for (sequence, users) in zip(group, users) {
      for request in users {
        let first = start + requests[request].input.count - requests[request].continuationCount
        for (offset, token) in requests[request].continuation.enumerated() {
          positions.append(Position(row: first + offset, request: request, token: token))
        }
      }
      start += sequence.count
    }
    return positions
  }

  private func add(_ positions: [Position], _ hidden: Matrix, _ head: Head, to result: inout [Double]) throws {
    for start in stride(from: 0, to: positions.count, by: Self.panel) {
      let part = positions[start..<min(start + Self.panel, positions.count)]
      let rows = Matrix(rows: part.count, columns: hidden.columns)
      for (row, position) in part.enumerated() {
        _ = rows[row].update(fromContentsOf: hidden[position.row])
      }
      let logits = try head.logits(rows)
      logits.applyLogSoftmax()
      for (row, position) in part.enumerated() { result[position.request] += Double(logits[row][position.token]) }
    }
  }
}

/// Inputs without those that are the beginning of another: what a causal model makes of a beginning does not depend on what follows.
///
/// So the letters of a question of MMLU, and every choice of one token, cost one pass and not four.
struct SharedInputs {
  private(set) var sequences: [[Int]] = []
  /// For each sequence, the inputs that it begins with.
  private(set) var users: [[Int]] = []

  init(_ inputs: [ArraySlice<Int>]) {
    let order = inputs.indices.sorted { inputs[$0].lexicographicallyPrecedes(inputs[$1]) }
    // In this order whatever begins with an input stands right after it.
    for index in order.reversed() {
      if let last = sequences.last, last.starts(with: inputs[index]) {
        users[users.count - 1].append(index)
      } else {
        sequences.append(Array(inputs[index]))
        users.append([index])
      }
    }
  }
}
