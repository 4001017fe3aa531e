internal import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Choose layers, channels, neurons and heads to keep, from calibration statistics.",
    discussion: """
      Sizes are given, or follow from a goal: then all that meet it are listed, and the best of them are run on --heldout text without \
      being written. Layers are ranked by the loss without them or by block influence, as --depth-by and --contiguous say; hidden channels, neurons \
      and heads by \
      the activations that calibrate measured, query heads within their group. The plan is JSON to read, edit and give to \
      compress --plan.

      Examples:
        mtconv calibrate model/ --text text.txt -o stats.safetensors
        mtconv plan model/ --stats stats.safetensors --ffn 1152 --drop-layers 4 -o plan.json
        mtconv plan model/ --stats stats.safetensors --params 75% --heldout other.txt -o plan.json
        mtconv plan model/ --stats stats.safetensors --fits 6GiB@8192 --fp8 -o plan.json
        mtconv compress model/ small/ --plan plan.json --heldout other.txt
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @Option(name: .long, help: ArgumentHelp("Statistics that calibrate wrote.", valueName: "file"), completion: .file())
  var stats: String

  @Option(
    name: [.short, .customLong("output")], help: ArgumentHelp("The JSON file to write.", valueName: "file"),
    completion: .file())
  var outputFile: String

  @Flag(name: .long, help: "Replace output files if they exist.")
  var force = false

  @OptionGroup(title: "Sizes") var sizes: SizeOptions
  @OptionGroup(title: "What matters") var importance: ImportanceOptions
  @OptionGroup(title: "What is written") var format: FormatOptions
  @OptionGroup(title: "Candidates") var search: SearchOptions
  @OptionGroup(title: "Candidates") var listing: ListingOptions
  @OptionGroup(title: "Texts") var texts: PlanTextOptions
  @OptionGroup(title: "Text") var sequences: TextOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try sizes.requireSomething()
    try texts.validate(search, listing)
    if sequences.chunks != nil {
      throw ValidationError("a plan reads two texts: give --heldout-chunks or --calibration-chunks, not --chunks")
    }
    if listing.candidates != nil, sizes.goal == nil {
      throw ValidationError("--candidates needs a goal: --params, --bytes, --fits or --speedup")
    }
    if importance.depthBy == .task, search.task == nil {
      throw ValidationError("--depth-by task needs --task and --task-data")
    }
  }

  func run() throws {
    try FileError.refuseExisting(
      files: outputFile, listing.candidates,
      from: [model, stats, texts.heldout, texts.calibration, search.taskData], unless: force)
    let checkpoint = try Checkpoint(path: model)
    let file = try StatisticsFile(path: stats)
    let progress = output.progress
    try file.check(against: checkpoint, progress: progress.handler)
    let job = try PlanJob(
      PlanJob.Options(
        sizes: sizes, importance: importance, search: search, shownCount: listing.top,
        comparesDepth: listing.compareDepth, format: format.output, context: format.context(sizes.goal, checkpoint)),
      checkpoint, file.statistics, contentHash: file.settings.modelHash,
      texts: PlanJob.Texts(
        heldOut: texts.heldOutSet(sequences, checkpoint), calibration: texts.calibrationSet(sequences, checkpoint)),
      progress)
    let report = try job.report(output: outputFile)
    progress.finish()
    try write(JSON(encoding: report.plan), to: outputFile)
    if let path = listing.candidates, let found = report.search { try write(JSON(encoding: found), to: path) }
    try report.print(asJSON: output.json)
  }

  private func write(_ json: JSON, to path: String) throws {
    let file = try OutputFile(path: path, overwrite: force)
    try file.write(json.serializedBytes(.indented) + [0x0A])
    try file.commit()
  }
}
