internal import ArgumentParser
internal import ModelCheckpoints
internal import ModelCompression
internal import ModelCompute
internal import TensorFormats

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how fast this machine is at what mtconv does.",
    discussion: """
      Matrix products, conversions and hashes on all cores: what every other command is made of. With a model, its forward \
      pass and its calibration on random tokens too, decoding included, which say what a text of your own will take.

      Examples:
        mtconv bench
        mtconv bench model/ --chunks 16
      """)

  @Argument(help: "A model directory or GGUF file to run.", completion: .file())
  var model: String?

  @Option(name: .long, help: ArgumentHelp("Sequences to run the model on.", valueName: "count"))
  var chunks = 8

  @Option(
    name: .long,
    help: ArgumentHelp("Tokens in a sequence (default: 512, or the model's context if shorter).", valueName: "tokens"))
  var context: Int?

  @Option(name: .long, help: ArgumentHelp("How long each figure of the machine is measured for.", valueName: "seconds"))
  var seconds = 0.5

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if chunks < 1 { throw ValidationError("--chunks is \(chunks), expected at least 1") }
    if let context, context < 2 { throw ValidationError("--context is \(context), expected at least 2") }
    if !(0...3600).contains(seconds) { throw ValidationError("--seconds is \(seconds), expected 0 to 3600") }
  }

  func run() throws {
    let checkpoint = try model.map { try Checkpoint(path: $0) }
    let progress = output.progress
    let benchmark = Benchmark(seconds: seconds)
    var figures = benchmark.machine(progress: progress.handler)
    if let checkpoint {
      let context = checkpoint.limited(context: context ?? TextOptions.defaultContext)
      figures += try benchmark.model(checkpoint, sequences: chunks, context: context, progress: progress.handler)
    }
    progress.finish()
    try BenchReport(figures: figures).print(asJSON: output.json)
  }
}

struct BenchReport: Report {
  let processors = processorCount
  let instructions = InstructionLevel.current.name
  let matrixKernels = BLASKernels.current
  let hashesByInstruction = SHA256Method.current == .instructions
  let figures: [Benchmark.Figure]

  var text: String {
    let cores = processors == 1 ? "1 processor" : "\(processors) processors"
    let hashes = hashesByInstruction ? "with instructions of its own" : "without instructions for it"
    var table = TextTable([("", .left), ("a second", .right), ("", .left)])
    for figure in figures {
      table.add([figure.name, NumberText.quantity(figure.rate), figure.unit.rawValue])
    }
    return """
      \(cores), \(instructions); matrix products by OpenBLAS's kernels for \(matrixKernels); SHA-256 \(hashes)

      \(table.text)
      """
  }
}
