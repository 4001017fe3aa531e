public import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
public import ModelCompression
internal import OrderedCollections
internal import TensorFormats

struct CompressCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compress",
    abstract:
      "Make a model smaller: calibrate, plan, prune, heal, distil, quantize to FP8, write and verify, in one go.",
    discussion: """
      Sizes are given or follow from a goal, as plan has them; what is important is measured on --calibration text. What is \
      left is healed on the same text without training, and with --distill-tokens or --distill-minutes trained to say what its \
      parent says; training that makes it no better is not used. FP8 weights are E4M3 with a scale for each output channel, in the \
      FP8_DYNAMIC layout of compressed-tensors that vLLM and transformers load. The written model is opened again and \
      compared with its parent on --heldout text. A run that was stopped goes on from what lies in --work. What 'mtconv report' \
      shows of a run stays in OUT.work, without --work too.

      Examples:
        mtconv compress model.gguf small/ --drop-layers 8 --fp8 --calibration text.txt --heldout other.txt
        mtconv compress model/ small/ --params 75% --calibration text.txt --heldout other.txt --work work/
        mtconv compress model/ small/ --params 75% --distill-tokens 10M --fp8 --calibration text.txt --heldout other.txt
        mtconv compress model/ fp8/ --fp8
        mtconv compress model/ small/ --keep-layers 9 --calibration a.txt --dry-run
        mtconv compress model/ small/ --plan plan.json --fp8 --heldout text.txt
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var input: String

  @Argument(help: "The directory to write, or a name ending in .gguf.", completion: .file())
  var out: String

  @Option(
    name: .long, help: ArgumentHelp("Cut by this pruning plan instead of making one.", valueName: "file"),
    completion: .file())
  var plan: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Statistics that calibrate wrote; made and kept there if the file does not exist.", valueName: "file"),
    completion: .file())
  var stats: String?

  @Flag(name: .long, help: "Quantize weights to FP8 E4M3.")
  var fp8 = false

  @Option(
    name: .long,
    help: ArgumentHelp("How FP8 codes are rounded: single, once; compat, as llm-compressor does.", valueName: "mode"))
  var rounding: QuantizationScheme.Rounding = .single

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Element format of what is not FP8 (default: bf16; GGUF from GGUF and FP8 models keep their own).",
      valueName: "format"))
  var dtype: PlainFormat?

  @Flag(name: .long, help: "Leave the pruned weights as the cut leaves them.")
  var noHeal = false

  @Option(
    name: .long,
    help: ArgumentHelp("Text that importance is measured and weights are healed on.", valueName: "file"),
    completion: .file())
  var calibration: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Text that candidates and the result are run on (default: the calibration text, or random tokens).",
      valueName: "file"), completion: .file())
  var heldout: String?

  @Option(name: .long, help: ArgumentHelp("Sequences of the held-out text.", valueName: "count"))
  var heldoutChunks = 8

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Keep statistics, plan, healed and distilled weights in this folder (default: OUT.work, without weights in the end).",
      valueName: "folder"), completion: .directory)
  var work: String?

  @Option(name: .long, help: ArgumentHelp("Largest safetensors shard, such as 5GB.", valueName: "size"))
  var maxShardSize: ByteSize?

  @Flag(name: .long, help: "Replace OUT if it exists.")
  var force = false

  @Flag(name: .long, help: "Measure and plan, and write nothing.")
  var dryRun = false

  @OptionGroup(title: "Sizes") var sizes: SizeOptions
  @OptionGroup(title: "What matters") var importance: ImportanceOptions
  @OptionGroup(title: "Candidates") var search: SearchOptions
  @OptionGroup(title: "Distillation") var distillation: DistillationOptions
  @OptionGroup(title: "Text") var sequences: TextOptions
  @OptionGroup(title: "Verification") var limits: VerificationOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if plan != nil, !sizes.isEmpty || stats != nil || importance.isGiven || search.isGiven {
      throw ValidationError("--plan says what to keep; sizes, goals, --stats and what chooses do not go with it")
    }
    if !fp8, rounding != .single { throw ValidationError("--rounding is for --fp8") }
    if sizes.isEmpty, plan == nil, !fp8 {
      throw ValidationError(
        "nothing to do: give sizes such as --drop-layers or --ffn, a goal such as --params, --plan or --fp8"
          + " (convert changes only the format)")
    }
    if plansItself, calibration == nil, stats == nil {
      throw ValidationError("choosing what to drop needs --calibration TEXT, or --stats of an earlier run")
    }
    if fp8, out.hasSuffix(".gguf") {
      throw ValidationError("GGUF has no FP8; give OUT another name, or leave --fp8 out")
    }
    if search.searchHeal != nil, calibration == nil { throw ValidationError("--search-heal needs --calibration TEXT") }
    try search.requireRanking(heldout)
    if importance.depthBy == .task, search.task == nil {
      throw ValidationError("--depth-by task needs --task and --task-data")
    }
    if distillation.isWanted { try validateDistillation() }
    if heldoutChunks < 1 { throw ValidationError("--heldout-chunks is \(heldoutChunks), expected at least 1") }
  }

  private func validateDistillation() throws {
    let name = distillation.name
    if plan == nil, !plansItself {
      throw ValidationError(
        "\(name) gives back what a cut took: give sizes, a goal or --plan; whole, the model is its own teacher")
    }
    guard let data = distillation.data ?? calibration else {
      throw ValidationError("\(name) needs text to train on: --calibration or --distill-data")
    }
    guard let heldout, heldout != data else {
      throw ValidationError("\(name) needs --heldout TEXT that is not trained on, to see what training is worth")
    }
  }

  /// Whether there is a plan to be made; dropping nothing needs none.
  var plansItself: Bool { plan == nil && !sizes.isEmpty && !sizes.dropsNothing }

  func run() throws {
    let model = try Checkpoint(path: input)
    for warning in model.warnings { Console.error("warning: \(warning)") }
    let progress = output.progress
    defer { progress.finish() }
    let job = try CompressJob(self, model, progress)
    defer { job.abandon() }
    let report = try dryRun ? job.dryRun() : job.run()
    progress.finish()
    try report.print(asJSON: output.json)
    if let verification = report.verification, !verification.report.passes { throw ExitStatus.refused }
  }
}

extension QuantizationScheme.Rounding: ExpressibleByArgument {}

/// Formats that every engine computes in.
enum PlainFormat: String, CaseIterable, ExpressibleByArgument {
  case f32, f16, bf16

  var elementFormat: ElementFormat {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }
}
