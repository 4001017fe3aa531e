internal import ArgumentParser
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

/// Whether and how `compress` distils what it pruned. `distill` has more to choose.
struct DistillationOptions: ParsableArguments {
  @Option(
    name: .customLong("distill-tokens"),
    help: ArgumentHelp(
      "Train what is left on so many tokens to say what the parent says; texts repeat if they are shorter.",
      valueName: "count"))
  var tokens: TokenCount?

  @Option(
    name: .customLong("distill-minutes"),
    help: ArgumentHelp(
      "Train for about so long: a few steps are timed once and decide the number of tokens, which the recipe names.",
      valueName: "minutes"))
  var minutes: Double?

  @Option(
    name: .customLong("distill-data"),
    help: ArgumentHelp("Text to train on (default: all of the calibration text).", valueName: "file"),
    completion: .file())
  var data: String?

  @Option(
    name: .customLong("distill-learning-rate"),
    help: ArgumentHelp("Learning rate after warm-up (default: 1e-4; small models take 1e-3).", valueName: "rate"))
  var learningRate: Double?

  @Option(
    name: .customLong("distill-batch"),
    help: ArgumentHelp("Sequences in a step; gradients add up (default: 1).", valueName: "count"))
  var batch: Int?

  @Option(
    name: .customLong("distill-train"),
    help: ArgumentHelp("Which weights: all (default), last:K or lora:RANK, as distill has them.", valueName: "which"))
  var train: TrainedWeights?

  var isWanted: Bool { tokens != nil || minutes != nil }

  /// The option that asks for it, for messages.
  var name: String { minutes != nil ? "--distill-minutes" : "--distill-tokens" }

  func validate() throws {
    if tokens != nil, minutes != nil { throw ValidationError("give --distill-tokens or --distill-minutes, not both") }
    if !isWanted, data != nil || learningRate != nil || batch != nil || train != nil {
      throw ValidationError("how to distil says nothing without --distill-tokens or --distill-minutes")
    }
    if let minutes, !(minutes > 0 && minutes < 1e6) {
      throw ValidationError("--distill-minutes is \(minutes), expected more than 0")
    }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--distill-learning-rate is \(learningRate), expected more than 0")
    }
    if let batch, batch < 1 { throw ValidationError("--distill-batch is \(batch), expected at least 1") }
    if let batch, batch > DistillationSettings.rowLimit {
      throw ValidationError("--distill-batch is \(batch), expected at most \(DistillationSettings.rowLimit)")
    }
  }

  /// Settings for a run of so many tokens; for a time, of a single step.
  func settings(context: Int) -> DistillationSettings {
    var settings = DistillationSettings(
      tokens: tokens?.count ?? 1, context: context, rowsPerStep: batch ?? 1, learningRate: learningRate ?? 1e-4)
    settings.trained = train?.trained ?? .all
    return settings
  }
}
