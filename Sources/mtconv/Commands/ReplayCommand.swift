internal import ArgumentParser
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Make a model again from its parent and its recipe: the same bytes.",
    discussion: """
      The recipe is the mtconv.json of a directory, a directory, or a GGUF file that has one in its metadata. Another parent \
      than the one it was made from is refused by its content hash. Weights that healing or training made come from \
      --heal, or are worked out again from --calibration, the text they were made with. If RECIPE is a model, the result is \
      compared with it.

      Exit code 1 when the result differs from RECIPE.

      Examples:
        mtconv replay small/ --parent model.gguf -o again/
        mtconv replay small/mtconv.json --parent model/ --heal healed.safetensors -o again/
      """)

  @Argument(help: "mtconv.json, or a model that was made with a recipe.", completion: .file())
  var recipe: String

  @Option(name: .long, help: ArgumentHelp("The model it was made from.", valueName: "model"), completion: .file())
  var parent: String

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("A directory, or a name ending in .gguf, as the recipe says.", valueName: "path"),
    completion: .file())
  var out: String

  @Option(
    name: .long, help: ArgumentHelp("The weights that took the place of others.", valueName: "file"),
    completion: .file())
  var heal: String?

  @Option(
    name: .long, help: ArgumentHelp("The text to heal on again, instead of --heal.", valueName: "file"),
    completion: .file())
  var calibration: String?

  @Flag(name: .long, help: "Replace OUT if it exists.")
  var force = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if heal != nil, calibration != nil { throw ValidationError("give --heal or --calibration, not both") }
  }

  func run() throws {
    try FileError.refuseExisting(out, from: [recipe, parent, heal, calibration], unless: force)
    let replay = try Replay(path: recipe)
    let fileFormat = Checkpoint.FileFormat(outputPath: out)
    guard fileFormat == replay.recipe.output else {
      throw CompressionError(
        .wrongRecipe, "the recipe makes a \(replay.recipe.output.rawValue), '\(out)' would be a \(fileFormat.rawValue)")
    }
    if replay.recipe.tool != "mtconv \(Recipe.version)" {
      Console.error("warning: the recipe is of \(replay.recipe.tool), this is mtconv \(Recipe.version)")
    }
    let parent = try Checkpoint(path: parent)
    let progress = output.progress
    defer { progress.finish() }
    try replay.check(parent: parent, progress: progress.handler)
    let overlay = try overlay(replay, parent, progress)
    var options = WriteOptions()
    options.overwrites = force
    options.progress = progress.handler
    try replay.recipe.write(of: parent, overlay: overlay, to: out, options)
    let matches = try replay.matches(Checkpoint(path: out), progress: progress.handler)
    progress.finish()
    try ReplayReport(output: out, recipe: recipe, matches: matches).print(asJSON: output.json)
    if matches == false { throw ExitStatus.refused }
  }

  private func overlay(
    _ replay: Replay, _ parent: Checkpoint, _ progress: ProgressLine
  ) throws -> WeightOverlay? {
    if let heal {
      let pruned = try replay.recipe.pruning.map { try parent.pruned(by: $0) } ?? parent
      let overlay = try WeightOverlay(path: heal, for: pruned)
      try replay.recipe.check(overlay: overlay)
      return overlay
    }
    guard let calibration else { return nil }
    guard replay.recipe.overlay != nil else {
      throw CompressionError(.wrongRecipe, "nothing was healed or trained by the recipe; leave --calibration out")
    }
    return try replay.healing(
      of: parent, on: calibration, scratchFolder: FileSystem.directoryName(out), progress: progress.handler)
  }
}

struct ReplayReport: Report {
  let output: String
  let recipe: String
  /// Whether the result is the model that the recipe came with; nil if it came alone.
  let matches: Bool?

  var text: String {
    switch matches {
    case nil: "\(output) made as \(recipe) says"
    case true?: "\(output) made as \(recipe) says, and equal to it"
    case false?: "\(output) made as \(recipe) says, and NOT equal to it"
    }
  }
}
