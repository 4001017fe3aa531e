internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelTokenizers

/// The questions of a task in the tokens of a model.
///
/// Tokens depend on the tokenizer only, so one set serves a model and all that is cut out of it.
public struct TaskSet: Sendable {
  public let task: EvaluationTask
  public let items: [TaskItem]
  /// Solved examples before each question.
  public let shotCount: Int
  /// Requests whose start did not fit into the model's context.
  public let truncatedCount: Int
  /// For each item, one request for each choice.
  let requests: [[TaskRequest]]

  /// Reads the questions of a file and the examples of another.
  public init(
    _ task: EvaluationTask, path: String, shots: TaskShots? = nil, limit: Int? = nil, for model: Checkpoint
  ) throws {
    try self.init(
      task, items: try task.items(in: path, shots: shots, limit: limit), shotCount: shots?.count ?? 0, for: model)
  }

  /// - Throws: `invalidTask` for a continuation that is longer than the model's context, and what the tokenizer throws.
  public init(_ task: EvaluationTask, items: [TaskItem], shotCount: Int = 0, for model: Checkpoint) throws {
    guard let description = try model.tokenizerDescription() else {
      throw CompressionError(.notEnoughText, "'\(model.path)' has no tokenizer to read questions with")
    }
    let encoder = try TaskRequestEncoder(description)
    let limit = model.hyperparameters.contextLength
    var truncatedCount = 0
    requests = try items.enumerated().map { number, item in
      try item.choices.map { choice in
        var request = encoder.request(choice)
        guard request.continuationCount > 0, limit <= 0 || request.continuationCount <= limit else {
          throw CompressionError(
            .invalidTask,
            "question \(number + 1): a choice has \(request.continuationCount) tokens, expected "
              + (limit > 0 ? "1 to \(limit), the model's context" : "at least 1"))
        }
        if limit > 0, request.truncate(to: limit + 1) { truncatedCount += 1 }
        return request
      }
    }
    try model.checkTokens(requests.joined().map(\.tokens))
    self.task = task
    self.items = items
    self.shotCount = shotCount
    self.truncatedCount = truncatedCount
  }
}

/// Tokens of which the last are scored.
struct TaskRequest: Sendable, Equatable {
  /// Context and continuation.
  private(set) var tokens: [Int]
  /// How many of them are the continuation.
  let continuationCount: Int

  init(tokens: [Int], continuationCount: Int) {
    self.tokens = tokens
    self.continuationCount = continuationCount
  }

  /// What the model reads: the last token is only predicted.
  var input: ArraySlice<Int> { tokens.dropLast() }
  var continuation: ArraySlice<Int> { tokens.suffix(continuationCount) }

  /// Takes tokens from the start, and says whether it had to.
  mutating func truncate(to count: Int) -> Bool {
    guard tokens.count > count else { return false }
    tokens.removeFirst(tokens.count - count)
    return true
  }
}

/// Splits a request into tokens as the harness does: context and continuation together, then the context alone to see where it ends.
struct TaskRequestEncoder {
  private let tokenizer: Tokenizer
  /// What stands in for an empty context.
  private let emptyContext: Int?
  /// A text that begins with this gets no special tokens of its own.
  private let beginning: String?

  init(_ description: TokenizerDescription) throws {
    tokenizer = try Tokenizer(description)
    emptyContext = description.beginningToken ?? description.endToken
    beginning = emptyContext.map { [tokenizer] in tokenizer.decode([$0]) }
  }

  func request(_ choice: TaskItem.Choice) -> TaskRequest {
    // Tokens hold the space before a word, not the one after.
    let (context, spaces) = choice.context.pythonStrippedEnd
    let whole = encode(context + spaces + choice.continuation)
    let contextCount = context.isEmpty ? 0 : min(encode(context).count, whole.count)
    if contextCount > 0 { return TaskRequest(tokens: whole, continuationCount: whole.count - contextCount) }
    let tokens = tokenizer.encode(spaces + choice.continuation, addsSpecialTokens: false)
    guard let emptyContext, tokens.first != emptyContext else {
      return TaskRequest(tokens: tokens, continuationCount: max(tokens.count - 1, 0))
    }
    return TaskRequest(tokens: [emptyContext] + tokens, continuationCount: tokens.count)
  }

  private func encode(_ text: String) -> [Int] {
    let hasBeginning = beginning.map { !$0.isEmpty && text.utf8.starts(with: $0.utf8) } ?? false
    return tokenizer.encode(text, addsSpecialTokens: !hasBeginning)
  }
}
