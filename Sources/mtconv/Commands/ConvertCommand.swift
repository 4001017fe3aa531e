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
      and rewrites names, shapes and configuration, if every scale can stay the number it is. The output appears under its name when it is complete.

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

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Element format (default: bf16 from GGUF to a directory, otherwise the source's own where OUT can hold it).",
      valueName: "format"))
  var dtype: ElementFormat?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Convention of an FP8 checkpoint: compressed-tensors, fp8, modelopt or transformers.", valueName: "name"))
  var dialect: QuantizationDialect?

  @Option(name: .long, help: ArgumentHelp("Largest safetensors shard, such as 5GB or 512MiB.", valueName: "size"))
  var maxShardSize: ByteSize?

  @Flag(name: .long, help: "Replace OUT if it exists.")
  var force = false

  @Flag(name: .long, help: "Say what would be written, and write nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Leave flushing to disk to the system: faster, not safe against a power cut.")
  var noSync = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if dtype?.kind == .quantizedBlock, !out.hasSuffix(".gguf") {
      throw ValidationError("--dtype \(dtype!.name.lowercased()) is for GGUF; OUT does not end in .gguf")
    }
    guard dialect != nil else { return }
    if dtype != nil { throw ValidationError("--dialect keeps codes and --dtype makes plain numbers: give one of them") }
    if out.hasSuffix(".gguf") { throw ValidationError("--dialect is for directories; OUT ends in .gguf") }
  }

  func run() throws {
    try FileError.refuseExisting(out, unless: force || dryRun)
    let model = try Checkpoint(path: input)
    for warning in model.warnings { Console.error("warning: \(warning)") }
    let fileFormat = Checkpoint.FileFormat(outputPath: out)
    let format = dialect == nil ? dtype ?? model.defaultFormat(for: fileFormat) : nil
    let converted = try Recipe(parent: model, output: fileFormat, elementFormat: format, dialect: dialect)
      .applied(to: model)
    let report = try ConvertReport(model, converted, to: out, as: fileFormat)
    if !dryRun { try write(converted, as: fileFormat) }
    try report.print(asJSON: output.json)
  }

  private func write(_ model: Checkpoint, as fileFormat: Checkpoint.FileFormat) throws {
    let progress = output.progress
    defer { progress.finish() }
    var options = WriteOptions()
    if let maxShardSize { options.maximumShardSize = maxShardSize.count }
    options.overwrites = force
    options.isDurable = !noSync
    options.progress = progress.handler
    try model.write(to: out, as: fileFormat, options)
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
