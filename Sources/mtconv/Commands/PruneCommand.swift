internal import ArgumentParser
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct PruneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Cut a model by a plan: layers, hidden channels, neurons and heads go, the rest keeps its bytes.",
    discussion: """
      OUT ending in .gguf is written as GGUF, anything else as a Hugging Face directory. Weights keep their element format \
      where OUT can hold it: rows and whole blocks move as bytes, and only blocks that a cut runs through are encoded again. \
      FP8 codes keep their scales. --heal puts the weights of heal, or of training, in the place of the plan's.

      Examples:
        mtconv plan model.gguf --stats stats.safetensors --ffn 1152 --drop-layers 4 -o plan.json
        mtconv prune model.gguf --plan plan.json -o small.gguf
        mtconv prune model/ --plan plan.json -o small/ --heal healed.safetensors
        mtconv verify model/ small/ --text heldout.txt
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @Option(name: .long, help: ArgumentHelp("The pruning plan: JSON as plan writes it.", valueName: "file"))
  var plan: String

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("A directory, or a name ending in .gguf.", valueName: "path"), completion: .file())
  var out: String

  @Option(
    name: .long,
    help: ArgumentHelp("Weights that take the place of the pruned ones (safetensors).", valueName: "file"),
    completion: .file())
  var heal: String?

  @OptionGroup var elementFormat: ElementFormatOptions
  @OptionGroup var writing: WritingOptions
  @OptionGroup var output: OutputOptions

  func validate() throws { try elementFormat.check(for: out) }

  func run() throws {
    try writing.refuseExisting(out, from: model, plan, heal)
    let model = try Checkpoint(path: model)
    for warning in model.warnings { Console.error("warning: \(warning)") }
    let pruning = try PruningPlan(parsing: FileSystem.read(plan), name: plan)
    let fileFormat = Checkpoint.FileFormat(outputPath: out)
    var recipe = Recipe(
      parent: model, output: fileFormat, pruning: pruning,
      elementFormat: elementFormat.dtype ?? model.defaultFormat(for: fileFormat))
    recipe.maximumShardSize = writing.maxShardSize?.count
    if fileFormat == .huggingFace, let obstacle = try model.pruned(by: pruning).huggingFaceObstacle {
      Console.error("warning: \(obstacle)")
    }
    let overlay = try heal.map { try WeightOverlay(path: $0, for: model.pruned(by: pruning)) }
    let progress = output.progress
    defer { progress.finish() }
    if writing.dryRun {
      try pruning.validate(for: model, progress: progress.handler)
      progress.finish()
      if let overlay { try recipe.record(overlay, for: model) }
      return try PruneReport(recipe, of: model, overlay, output: out).print(asJSON: output.json)
    }
    try recipe.seal(parent: model, overlay: overlay, sources: sources, progress: progress.handler)
    try recipe.write(of: model, overlay: overlay, to: out, writing.options(progress))
    progress.finish()
    try PruneReport(recipe, of: model, overlay, output: out).print(asJSON: output.json)
  }

  private var sources: Recipe.Sources {
    var sources = Recipe.Sources()
    sources.plan = plan
    sources.command = CommandLine.arguments
    return sources
  }
}
