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
      without a recipe the two must be the same model. Quality: what that cost against PARENT itself.

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
    help: ArgumentHelp("A UTF-8 text file to run both on (default: token ids from a fixed seed).", valueName: "file"),
    completion: .file())
  var text: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The weights that took the place of others; without them, they are held against the recipe's hashes.",
      valueName: "file"), completion: .file())
  var heal: String?

  @OptionGroup var sequences: TextOptions
  @OptionGroup var limits: VerificationOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let parent = try Checkpoint(path: parent)
    let written = try Checkpoint(path: result)
    let overlay = try heal.map { try WeightOverlay(path: $0, for: written) }
    let set =
      try text.map { try sequences.set($0, model: parent, limit: 8) }
      ?? .random(for: parent, context: sequences.length(for: parent))
    let progress = output.progress
    var verifier = limits.verifier
    verifier.progress = progress.handler
    let report = try verifier.verify(written, against: parent, overlay: overlay, on: set)
    progress.finish()
    try VerifyReport(report: report, isRandom: text == nil).print(asJSON: output.json)
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
