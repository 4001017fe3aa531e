internal import ArgumentParser
internal import ModelCheckpoints
internal import ModelCompression
internal import ModelCompute
internal import TensorFormats

struct DistillCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distill",
    abstract: "Train a pruned model to say what its parent says.",
    discussion: """
      The student learns the teacher's distribution of the next token, by default forward KL at temperature 1 without \
      cross-entropy, as in Minitron. State, best weights and a log lie in the work folder; a run that was stopped or killed \
      goes on with --resume as if nothing had happened. The weights that did best on the held-out text are written, in the \
      student's format, and nothing is if none was better than the student.

      Examples:
        mtconv distill --teacher model/ --student small/ --data text.txt --heldout other.txt --tokens 1M -o better/
        mtconv distill --teacher model/ --student half/ --data docs.jsonl --heldout other.txt --tokens 10M \\
          --hidden-loss cosine --block-warm-up 50 -o better/
        mtconv distill … --resume
      """)

  @Option(name: .long, help: "The model to learn from.", completion: .file())
  var teacher: String

  @Option(name: .long, help: "The model that learns.", completion: .file())
  var student: String

  @Option(name: .long, help: "What to learn: forward-kl, reverse-kl, or jsd between the two.")
  var loss = Divergence.forwardKL

  @Option(name: .long, help: ArgumentHelp("Softens both distributions.", valueName: "number"))
  var temperature = 1.0

  @Option(name: .long, help: ArgumentHelp("The teacher's weight in the mixture of jsd.", valueName: "share"))
  var beta = 0.5

  @Option(name: .long, help: ArgumentHelp("Share of cross-entropy on the text itself.", valueName: "share"))
  var crossEntropy = 0.0

  @Option(name: .long, help: "A loss on hidden states besides, for students that lost layers: mse or cosine.")
  var hiddenLoss: HiddenLoss?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Steps at first in which every block learns by itself from the teacher's stream.", valueName: "steps"))
  var blockWarmUp = 0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Keep what the teacher says: exact, its hidden states; or topk:N, its likeliest tokens.", valueName: "what"))
  var cacheTeacher: TeacherCacheContent?

  @Flag(name: .long, help: "Forget the student's weights and start from random ones: what pruning saved.")
  var randomStart = false

  @OptionGroup var training: TrainingOptions

  enum Divergence: String, ExpressibleByArgument, CaseIterable {
    case forwardKL = "forward-kl"
    case reverseKL = "reverse-kl"
    case jensenShannon = "jsd"

    var objective: DistillationSettings.Objective {
      switch self {
      case .forwardKL: .forwardKL
      case .reverseKL: .reverseKL
      case .jensenShannon: .jensenShannon
      }
    }
  }

  enum HiddenLoss: String, ExpressibleByArgument, CaseIterable {
    case mse, cosine

    var kind: HiddenStateLoss.Kind { self == .mse ? .meanSquare : .cosine }
  }

  func validate() throws {
    if !(temperature > 0 && temperature.isFinite) {
      throw ValidationError("--temperature is \(temperature), expected more than 0")
    }
    if !(beta > 0 && beta < 1) { throw ValidationError("--beta is \(beta), expected between 0 and 1") }
    if !(0...1).contains(crossEntropy) { throw ValidationError("--cross-entropy is \(crossEntropy), expected 0 to 1") }
    if randomStart, training.train.trained != .all { throw ValidationError("--random-start goes with --train all") }
    if blockWarmUp < 0 { throw ValidationError("--block-warm-up is \(blockWarmUp), expected at least 0") }
    if case .top = cacheTeacher?.content, loss != .forwardKL || temperature != 1 {
      throw ValidationError("--cache-teacher topk goes with --loss forward-kl and --temperature 1")
    }
    if cacheTeacher != nil, hiddenLoss != nil || blockWarmUp > 0 {
      throw ValidationError(
        "--cache-teacher keeps no hidden states of layers; leave it, or --hidden-loss and --block-warm-up")
    }
  }

  func run() throws {
    let student = try Checkpoint(path: student)
    var settings = training.settings(for: student)
    settings.objective = loss.objective
    settings.temperature = temperature
    settings.beta = beta
    settings.crossEntropy = crossEntropy
    settings.hiddenLoss = hiddenLoss?.kind
    settings.blockWarmUpSteps = blockWarmUp
    settings.startsAtRandom = randomStart
    try TrainingRun(options: training, student: student, teacher: Checkpoint(path: teacher), settings: settings)
      .run(cache: cacheTeacher?.content)
  }
}

/// What is kept of a teacher: `exact`, `topk:64`.
struct TeacherCacheContent: ExpressibleByArgument {
  let content: TeacherCache.Content

  init?(argument: String) {
    if argument == "exact" {
      content = .exact
      return
    }
    guard argument.hasPrefix("topk:"), let count = Int(argument.dropFirst(5)), (1...65536).contains(count) else {
      return nil
    }
    content = .top(count)
  }
}

struct FinetuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Train a model on a text by cross-entropy: teacher correction, before it teaches on that text.",
    discussion: """
      Minitron adapts the teacher to the text that it will teach on, with a fifth of the usual learning rate. State, best \
      weights and log are kept as by distill.

      Example:
        mtconv finetune model/ --data text.txt --heldout other.txt --tokens 1M --learning-rate 2e-5 -o corrected/
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @OptionGroup var training: TrainingOptions

  func run() throws {
    let model = try Checkpoint(path: model)
    var settings = training.settings(for: model)
    settings.objective = .crossEntropy
    try TrainingRun(options: training, student: model, teacher: nil, settings: settings).run(cache: nil)
  }
}
