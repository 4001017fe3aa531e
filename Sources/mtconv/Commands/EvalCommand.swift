public import ArgumentParser
internal import ModelCheckpoints
public import ModelCompression
internal import TensorFormats

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Ask a model the questions of a benchmark.",
    discussion: """
      Formats and scores are those of lm-eval 0.4.13: winogrande, hellaswag, arc (easy or challenge), piqa, and mmlu with \
      the first five examples of each subject when --shots-data is given. The questions are the Hugging Face data set as \
      JSON lines. --compare asks a second model the same questions and says whether the difference could be chance.

      Examples:
        mtconv eval model/ --task hellaswag --data validation.jsonl --limit 1000
        mtconv eval model/ --task mmlu --data test.jsonl --shots-data dev.jsonl
        mtconv eval model/ --compare small/ --task arc --data test.jsonl
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @Option(name: .long, help: "Which benchmark.")
  var task: EvaluationTask

  @Option(
    name: .long, help: ArgumentHelp("The questions, one JSON object a line.", valueName: "file"), completion: .file())
  var data: String

  @Option(
    name: .long, help: ArgumentHelp("Solved examples for mmlu: its dev split, as JSON lines.", valueName: "file"),
    completion: .file())
  var shotsData: String?

  @Option(
    name: .long, help: ArgumentHelp("Examples of --shots-data before each question (default: 5).", valueName: "count"))
  var shots: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Questions to ask, from the start; of each subject for mmlu (default: all).", valueName: "count")
  )
  var limit: Int?

  @Option(
    name: .long, help: ArgumentHelp("A second model to ask the same questions.", valueName: "model"),
    completion: .file())
  var compare: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Write every request and its score, one JSON object a question.", valueName: "file"),
    completion: .file())
  var samples: String?

  @Flag(name: .long, help: "Replace the samples if they exist.")
  var force = false

  @OptionGroup(title: "FP8 models") var engine: EmulationOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is \(limit), expected at least 1") }
    if let shots, shots < 1 { throw ValidationError("--shots is \(shots), expected at least 1") }
    if shots != nil, shotsData == nil { throw ValidationError("--shots needs --shots-data FILE") }
    if shotsData != nil, !task.hasSubjects { throw ValidationError("--shots-data is for mmlu, not \(task.rawValue)") }
  }

  func run() throws {
    try FileError.refuseExisting(files: samples, from: [model, compare, data, shotsData], unless: force)
    let examples = try shotsData.map { try TaskShots(path: $0, count: shots ?? TaskShots.defaultCount) }
    let items = try task.items(in: data, shots: examples, limit: limit)
    let progress = output.progress
    let start = ContinuousClock.now
    let models = try ([model] + [compare].compactMap { $0 }).map { try Checkpoint(path: $0) }
    let emulations = try models.map { try EmulationSummary(of: $0, engine.emulation) }
    let results = try models.map { checkpoint in
      let questions = try TaskSet(task, items: items, shotCount: examples?.count ?? 0, for: checkpoint)
      return try TaskResult(
        of: checkpoint, on: questions, emulation: engine.emulation, progress: progress.handler)
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    progress.finish()
    if let samples { try TaskSamples(results[0]).write(to: samples, overwrite: force) }
    try EvalReport(
      model: model, data: data, compared: compare, results: results, emulations: emulations,
      seconds: seconds
    )
    .print(asJSON: output.json)
  }
}

extension EvaluationTask: ExpressibleByArgument {}
