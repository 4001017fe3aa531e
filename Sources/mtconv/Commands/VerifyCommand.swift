internal import ArgumentParser
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare a model with the one it was made from: every tensor, and the forward pass.",
    discussion: """
      Two verdicts. Correctness: RESULT holds what its recipe (mtconv.json) makes of PARENT, applied again in memory; \
      without a recipe the two must be the same model. Quality: what that cost against PARENT itself. An FP8 model computes \
      as its engine does: inputs of quantized matrices are rounded to E4M3 as the checkpoint says.

      Exit code 1 when correctness fails, or the perplexity ratio passes --max-perplexity-ratio.

      Example:
        mtconv verify model.gguf model-fp8/ --text heldout.txt
      """)

  @Argument(help: "The model that RESULT was made from.", completion: .file())
  var parent: String

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var result: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The weights that took the place of others; without them, they are held against the recipe's hashes.",
      valueName: "file"), completion: .file())
  var heal: String?

  @OptionGroup(title: "Text to run both on (default: token ids from a fixed seed)") var input: TextInputOptions
  @OptionGroup(title: "Limits") var limits: VerificationOptions
  @OptionGroup(title: "FP8 models") var engine: EmulationOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() throws {
    let parent = try Checkpoint(path: parent)
    let written = try Checkpoint(path: result)
    let overlay = try heal.map { try WeightOverlay(path: $0, for: written) }
    let set =
      try input.set(model: parent, limit: 8)
      ?? .random(for: parent, context: input.sequences.length(for: parent))
    let progress = output.progress
    var verifier = limits.verifier
    verifier.emulation = engine.emulation
    verifier.progress = progress.handler
    let report = try verifier.verify(written, against: parent, overlay: overlay, on: set)
    progress.finish()
    try VerifyReport(report: report, isRandom: input.input == nil).print(asJSON: output.json)
    if !report.passes { throw ExitStatus.refused }
  }
}

struct VerificationOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Largest logit error of the file against the plan (normalized mean square).", valueName: "error"))
  var tolerance = Verifier.defaultTolerance

  @Option(
    name: .long, help: ArgumentHelp("Fail if perplexity grows by more than this factor.", valueName: "factor"))
  var maxPerplexityRatio: Double?

  func validate() throws {
    if !(tolerance >= 0) { throw ValidationError("--tolerance is \(tolerance), expected at least 0") }
    if let ratio = maxPerplexityRatio, !(ratio > 0) {
      throw ValidationError("--max-perplexity-ratio is \(ratio), expected more than 0")
    }
  }

  var verifier: Verifier {
    var verifier = Verifier()
    verifier.tolerance = tolerance
    verifier.maximumPerplexityRatio = maxPerplexityRatio
    return verifier
  }
}
