internal import ArgumentParser
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct HealCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heal",
    abstract: "Fit what a plan leaves of a model to what the model did, without training.",
    discussion: """
      Parent and pruned model read the text side by side, a block at a time. The projections of every kept block are refitted by least squares; \
      a part of the text is held out, chooses the strength of the ridge and decides whether a fit is kept. The result is a \
      file of weights that take the place of the pruned model's.

      Example:
        mtconv plan model/ --stats stats.safetensors --ffn 1152 -o plan.json
        mtconv heal model/ --plan plan.json --text text.txt -o healed.safetensors --report healing.json
      """)

  @Argument(help: "The parent: a model directory or GGUF file.", completion: .file())
  var parent: String

  @Option(name: .long, help: ArgumentHelp("The plan that prunes it.", valueName: "file"), completion: .file())
  var plan: String

  @Option(
    name: [.short, .customLong("output")], help: ArgumentHelp("The safetensors file to write.", valueName: "file"),
    completion: .file())
  var outputFile: String

  @Option(
    name: .long, help: ArgumentHelp("Write every step with its errors as JSON.", valueName: "file"),
    completion: .file())
  var report: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Strengths of the ridge to try, for example 0.01,0.1.", valueName: "numbers"))
  var ridge: NumberList?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How much of the error of earlier weights a projection takes back, from 0 to 1 (default: 1).",
      valueName: "share"))
  var correction: Double?

  @Flag(name: .long, help: "Refit only the projections into the residual stream.")
  var outputsOnly = false

  @Flag(name: .long, help: "Replace output files if they exist.")
  var force = false

  @OptionGroup(title: "Text") var input: TextInputOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    try input.require()
    if let correction, !(0...1).contains(correction) {
      throw ValidationError("--correction is \(correction), expected 0 to 1")
    }
  }

  func run() throws {
    try FileError.refuseExisting(
      files: outputFile, report, from: [parent, plan, input.input?.path], unless: force)
    let checkpoint = try Checkpoint(path: parent)
    let pruning = try PruningPlan(parsing: FileSystem.read(plan), name: plan)
    let progress = output.progress
    defer { progress.finish() }
    try pruning.validate(for: checkpoint, progress: progress.handler)
    let set = try input.requiredSet(model: checkpoint, limit: 40, sample: .spread)
    var settings = Healer.Settings()
    if let ridge { settings.ridges = ridge.values }
    if let correction { settings.correction = correction }
    settings.healsInputs = !outputsOnly
    var healer = Healer(settings)
    healer.progress = progress.handler
    healer.scratchFolder = FileSystem.directoryName(outputFile)
    let start = ContinuousClock.now
    let healing = try healer.heal(checkpoint, plan: pruning, on: set)
    progress.finish()
    try healing.overlay.write(to: outputFile, overwrite: force)
    try report.map { try healing.report.write(to: $0, overwrite: force) }
    try HealReport(
      output: outputFile, seconds: (ContinuousClock.now - start) / .seconds(1), healing: healing.report
    ).print(asJSON: output.json)
  }
}

/// Positive numbers with commas between them.
struct NumberList: ExpressibleByArgument {
  let values: [Double]

  init?(argument: String) {
    let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard !numbers.isEmpty, numbers.allSatisfy({ $0.map { $0 > 0 && $0.isFinite } ?? false }) else { return nil }
    values = numbers.compactMap { $0 }
  }
}

struct HealReport: Report {
  let output: String
  let seconds: Double
  let healing: HealingReport

  var text: String {
    var table = TextTable([
      ("layer", .right), ("weights", .left), ("ridge", .right), ("error before", .right), ("after", .right),
      ("", .left),
    ])
    for step in healing.steps {
      table.add([
        step.layer.map { "\($0)" } ?? "", step.weights.map(Self.short).joined(separator: " "),
        step.ridge.map { "\($0)" } ?? "", NumberText.fixed(step.errorBefore, 5), NumberText.fixed(step.errorAfter, 5),
        step.isKept ? "" : "dropped: \(step.reason ?? "")",
      ])
    }
    return table.text
      + "\n\n\(healing.keptStepCount) of \(healing.steps.count) steps kept, errors on \(healing.heldOutTokens) of"
      + " \(healing.tokens) tokens; weights in \(output)"
  }

  /// `down_proj` of `model.layers.3.mlp.down_proj.weight`.
  private static func short(_ name: String) -> String {
    name.split(separator: ".").suffix(2).filter { $0 != "weight" }.joined(separator: ".")
  }
}
