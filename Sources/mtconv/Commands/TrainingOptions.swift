internal import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import ModelCompute
internal import TensorFormats

/// How a model is trained: what distill and finetune share.
struct TrainingOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Text to train on: UTF-8, .jsonl with a document on each line, or .json of token ids.", valueName: "file"),
    completion: .file())
  var data: String

  @Option(
    name: .long,
    help: ArgumentHelp("Other text, to see what the training is worth.", valueName: "file"), completion: .file())
  var heldout: String

  @Option(
    name: .long,
    help: ArgumentHelp("The field of a JSON object that holds a document.", valueName: "name"))
  var field = TextInput.defaultField

  @Option(name: .long, help: ArgumentHelp("Sequences of the held-out text.", valueName: "count"))
  var heldoutChunks = 8

  @Option(name: .long, help: ArgumentHelp("Tokens to train on; texts repeat if they are shorter.", valueName: "count"))
  var tokens: TokenCount

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Tokens in a row; documents are packed into rows and do not see each other (default: 512, or the model's context if shorter).",
      valueName: "tokens"))
  var context: Int?

  @Option(name: .long, help: ArgumentHelp("Rows in a step; gradients add up.", valueName: "count"))
  var batch = 1

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Which weights: all; last:K, norms and everything in the last K layers; lora:RANK, low-rank adaptation and norms.",
      valueName: "which"))
  var train = TrainedWeights(trained: .all)

  @Option(name: [.long, .customLong("lr")], help: ArgumentHelp("Learning rate after warm-up.", valueName: "rate"))
  var learningRate = 1e-4

  @Option(
    name: .long, help: ArgumentHelp("Learning rate at the end (default: a tenth).", valueName: "rate"))
  var minimumRate: Double?

  @Option(
    name: .long, help: ArgumentHelp("Steps of warm-up (default: a twentieth of all, at most 40).", valueName: "steps"))
  var warmUp: Int?

  @Option(name: .long, help: ArgumentHelp("Decoupled weight decay of matrices.", valueName: "share"))
  var weightDecay = 0.1

  @Option(name: .long, help: ArgumentHelp("Norm to which gradients are scaled down.", valueName: "norm"))
  var clip = 1.0

  @Option(name: .long, help: ArgumentHelp("Seed of the order of rows.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    name: .long,
    help: ArgumentHelp("Steps between two looks at the held-out text (default: a tenth of all).", valueName: "steps"))
  var evaluateEvery: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Folder for state, best weights and log (default: OUT.work).", valueName: "folder"),
    completion: .directory)
  var work: String?

  @Flag(name: .long, help: "Go on with the run in the work folder.")
  var resume = false

  @Option(name: .long, help: ArgumentHelp("Minutes between two writes of the state.", valueName: "minutes"))
  var saveEvery = 10.0

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("What to write: a directory, or a name ending in .gguf.", valueName: "out"), completion: .file())
  var outputFile: String

  @Flag(name: .long, help: "Replace OUT if it exists.")
  var force = false

  @Flag(name: .long, help: "Say what would be done, and do nothing.")
  var dryRun = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    func check(_ isRight: Bool, _ message: String) throws { if !isRight { throw ValidationError(message) } }
    try check(batch > 0, "--batch is \(batch), expected at least 1")
    let most = DistillationSettings.rowLimit
    try check(batch <= most, "--batch is \(batch), expected at most \(most)")
    try check(heldoutChunks > 0, "--heldout-chunks is \(heldoutChunks), expected at least 1")
    if let context { try check(context >= 4, "--context is \(context), expected at least 4") }
    if let warmUp { try check(warmUp >= 0, "--warm-up is \(warmUp), expected at least 0") }
    if let evaluateEvery { try check(evaluateEvery > 0, "--evaluate-every is \(evaluateEvery), expected at least 1") }
    func isPositive(_ number: Double) -> Bool { number > 0 && number.isFinite }
    try check(isPositive(learningRate), "--learning-rate is \(learningRate), expected more than 0")
    try check(weightDecay >= 0 && weightDecay.isFinite, "--weight-decay is \(weightDecay), expected at least 0")
    try check(isPositive(clip), "--clip is \(clip), expected more than 0")
    try check(saveEvery > 0, "--save-every is \(saveEvery), expected more than 0")
  }

  func settings(for model: Checkpoint) -> DistillationSettings {
    var settings = DistillationSettings(
      tokens: tokens.count, context: model.limited(context: context ?? TextOptions.defaultContext), rowsPerStep: batch,
      learningRate: learningRate)
    settings.trained = train.trained
    if let minimumRate { settings.minimumLearningRate = minimumRate }
    if let warmUp { settings.warmUpSteps = warmUp }
    settings.optimizer.weightDecay = weightDecay
    settings.clippingNorm = clip
    settings.seed = seed
    if let evaluateEvery { settings.evaluationInterval = evaluateEvery }
    return settings
  }

  var workFolder: String { work ?? FileSystem.withoutSlashes(outputFile) + ".work" }
}

/// Which weights are trained: `all`, `last:2`, `lora:16`.
struct TrainedWeights: ExpressibleByArgument {
  let trained: DistillationSettings.Trained

  init(trained: DistillationSettings.Trained) { self.trained = trained }

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    let count = parts.count == 2 ? Int(parts[1]).flatMap { $0 > 0 ? $0 : nil } : nil
    switch (parts[0], count) {
    case ("all", nil) where parts.count == 1: trained = .all
    case ("last", let count?): trained = .normsAndLast(layers: count)
    case ("lora", let count?) where count <= DistillationSettings.rankLimit:
      trained = .lowRank(TrainableWeights.Adaptation(rank: count))
    default: return nil
    }
  }

  var defaultValueDescription: String { "all" }
}

/// A number of tokens: `300000`, `300k`, `2M`.
struct TokenCount: ExpressibleByArgument {
  let count: Int

  init?(argument: String) {
    let units: [(String, Int)] = [("k", 1_000), ("m", 1_000_000), ("b", 1_000_000_000), ("", 1)]
    for (suffix, factor) in units where argument.lowercased().hasSuffix(suffix) {
      guard let number = Double(argument.dropLast(suffix.count)), number * Double(factor) >= 1,
        number * Double(factor) < 1e15
      else { return nil }
      count = Int(number * Double(factor))
      return
    }
    return nil
  }
}
