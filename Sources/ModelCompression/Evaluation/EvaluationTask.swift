/// A benchmark of multiple-choice questions, asked and scored as lm-eval 0.4.13 does (EleutherAI/lm-evaluation-harness).
///
/// A model answers with the choice whose text it finds most likely after the question. The questions come from the JSON lines of
/// the Hugging Face data sets; `items(in:shots:limit:)` makes them into requests.
public enum EvaluationTask: String, CaseIterable, Sendable, Codable {
  /// Which of two names a sentence means (allenai/winogrande).
  case winogrande
  /// Which of four sentences goes on (Rowan/hellaswag).
  case hellaswag
  /// School science, easy and challenge (allenai/ai2_arc).
  case arc
  /// Which of two ways reaches a goal (baber/piqa).
  case piqa
  /// Exams of 57 subjects, answered by letter (cais/mmlu).
  case mmlu

  /// Whether the harness also gives `acc_norm`: the choice most likely for each character of it.
  public var hasNormalizedAccuracy: Bool {
    switch self {
    case .hellaswag, .arc, .piqa: true
    case .winogrande, .mmlu: false
    }
  }

  /// Whether questions belong to subjects, which are scored each and then together.
  public var hasSubjects: Bool { self == .mmlu }
}

/// A question as the model gets it.
public struct TaskItem: Sendable, Equatable {
  public struct Choice: Sendable, Equatable {
    /// What the model has read.
    public let context: String
    /// What it is asked the likelihood of.
    public let continuation: String
    /// Code points of the choice itself, by which `acc_norm` divides.
    public let length: Int

    public init(context: String, continuation: String, length: Int) {
      self.context = context
      self.continuation = continuation
      self.length = length
    }
  }

  public let choices: [Choice]
  /// Index of the right choice.
  public let answer: Int
  public let subject: String?

  public init(choices: [Choice], answer: Int, subject: String? = nil) {
    self.choices = choices
    self.answer = answer
    self.subject = subject
  }
}
