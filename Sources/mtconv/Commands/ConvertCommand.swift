internal import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert a model between GGUF and a Hugging Face directory, or to another element format.",
    discussion: """
      OUT ending in .gguf is written as GGUF, anything else as a Hugging Face directory with configuration and tokenizer. \
      What the target cannot say is refused, never dropped. --dtype makes plain numbers of FP8 codes; --dialect keeps the codes \
      and rewrites names, shapes and configuration, if every scale can stay the number it is. What was converted from what stands in \
      mtconv.json, or in the metadata of a GGUF file. The output appears under its name when it is complete.

      Examples:
        mtconv convert model.gguf model/
        mtconv convert model/ model-q8.gguf --dtype q8_0
        mtconv convert model/ model-f32/ --dtype f32 --max-shard-size 5GB
        mtconv convert fp8/ plain/ --dtype bf16
        mtconv convert fp8/ for-tensorrt/ --dialect modelopt
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var input: String

  @Argument(help: "A directory, or a name ending in .gguf.", completion: .file())
  var out: String

  @OptionGroup var elementFormat: ElementFormatOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Convention of an FP8 checkpoint: compressed-tensors, fp8, modelopt or transformers.", valueName: "name"))
  var dialect: QuantizationDialect?

  @OptionGroup var writing: WritingOptions
  @OptionGroup var hashes: HashOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try elementFormat.check(for: out)
    guard dialect != nil else { return }
    if elementFormat.dtype != nil {
      throw ValidationError("--dialect keeps codes and --dtype makes plain numbers: give one of them")
    }
    if out.hasSuffix(".gguf") { throw ValidationError("--dialect is for directories; OUT ends in .gguf") }
  }

  func run() throws {
    try writing.refuseExisting(out, from: input)
    let model = try Checkpoint(path: input)
    for warning in model.warnings { Console.error("warning: \(warning)") }
    let fileFormat = Checkpoint.FileFormat(outputPath: out)
    let format = dialect == nil ? elementFormat.dtype ?? model.defaultFormat(for: fileFormat) : nil
    var recipe = Recipe(parent: model, output: fileFormat, elementFormat: format, dialect: dialect)
    recipe.maximumShardSize = writing.maxShardSize?.count
    let report = try ConvertReport(model, recipe.applied(to: model), to: out, as: fileFormat)
    if !writing.dryRun { try write(&recipe, of: model) }
    try report.print(asJSON: output.json)
  }

  private func write(_ recipe: inout Recipe, of model: Checkpoint) throws {
    let progress = output.progress
    defer { progress.finish() }
    if !hashes.noHashes {
      var sources = Recipe.Sources()
      sources.command = CommandLine.arguments
      try recipe.seal(parent: model, sources: sources, progress: progress.handler)
    }
    try recipe.write(of: model, to: out, writing.options(progress))
  }
}

struct ConvertReport: Report {
  let input: String
  let output: String
  let family: String
  let parameters: Int
  let inputFormat: ElementFormat
  let outputFormat: ElementFormat
  let inputBytes: Int
  let outputBytes: Int

  init(
    _ model: Checkpoint, _ converted: Checkpoint, to out: String, as fileFormat: Checkpoint.FileFormat
  ) throws {
    input = model.path
    output = out
    family = model.architecture.name
    parameters = model.parameterCount
    inputFormat = model.mainFormat
    outputFormat = converted.mainFormat
    inputBytes = model.byteCount
    outputBytes = try converted.byteCount(as: fileFormat)
  }

  var text: String {
    var table = TextTable([("", .left), ("model", .left), ("format", .left), ("bytes", .right)])
    table.add(["from", input, inputFormat.name, NumberText.bytes(inputBytes)])
    table.add(["to", output, outputFormat.name, NumberText.bytes(outputBytes)])
    return "\(family), \(NumberText.count(parameters)) parameters\n\n" + table.text
  }
}
