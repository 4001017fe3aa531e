internal import ArgumentParser
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct PerplexityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Measure how well a model predicts a text.",
    discussion: """
      The text is cut into chunks of --context tokens and the second half of each is scored, as llama-perplexity does. \
      An FP8 model computes as its engine does: inputs of quantized matrices are rounded to E4M3 as the checkpoint says.

      Examples:
        mtconv perplexity model.gguf --text heldout.txt --chunks 20
        mtconv perplexity model.gguf --jsonl documents.jsonl --field text
        mtconv perplexity model-fp8/ --text heldout.txt --kv-cache fp8
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @OptionGroup(title: "Text") var input: TextInputOptions
  @OptionGroup(title: "FP8 models") var engine: EmulationOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws { try input.require() }

  func run() throws {
    let checkpoint = try Checkpoint(path: model)
    let emulation = try EmulationSummary(of: checkpoint, engine.emulation)
    let set = try input.requiredSet(model: checkpoint)
    let progress = output.progress
    let start = ContinuousClock.now
    let perplexity = try Perplexity(
      of: checkpoint, on: set, emulation: engine.emulation, progress: progress.handler)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    progress.finish()
    let report = PerplexityReport(
      model: model, perplexity: perplexity.value, standardError: perplexity.standardError,
      meanLoss: perplexity.meanLoss, chunks: set.sequences.count, context: set.longestSequence,
      scoredTokens: perplexity.scoredTokenCount, emulation: emulation,
      tokensPerSecond: Double(set.tokenCount) / seconds)
    try report.print(asJSON: output.json)
  }
}

struct PerplexityReport: Report {
  let model: String
  let perplexity: Double
  let standardError: Double
  let meanLoss: Double
  let chunks: Int
  let context: Int
  let scoredTokens: Int
  /// Nil for a model that is not quantized.
  let emulation: EmulationSummary?
  let tokensPerSecond: Double

  var text: String {
    var table = TextTable([("", .left), ("", .left)])
    table.add(["perplexity", "\(NumberText.fixed(perplexity, 4)) ± \(NumberText.fixed(standardError, 4))"])
    table.add(["loss", "\(NumberText.fixed(meanLoss, 5)) nats a token"])
    table.add(["scored", "\(scoredTokens) tokens in \(chunks) \(chunks == 1 ? "chunk" : "chunks") of \(context)"])
    if let emulation { table.add(["run with", emulation.text]) }
    table.add(["speed", "\(NumberText.fixed(tokensPerSecond, 0)) tokens/s"])
    return table.text
  }
}
